/**
 * `orderwright demo --sla`: a week of a provider's promises, played in a second on a clock that is turned,
 * and compared with what must come of it. It needs no Redis and leaves nothing behind.
 */
import { checkWeek } from "./demo-sla-check.ts";
import { playWeek, type Week } from "./demo-sla-play.ts";
import { STEPS } from "./demo-sla-story.ts";
import { endText, introductionText, weekText } from "./demo-sla-text.ts";
import { verdictsOf } from "./demo-sla-verdicts.ts";
import { complain } from "./output.ts";

export interface SlaDemoOptions {
  /** One line of JSON instead of the story. */
  readonly json: boolean;
  readonly isColoured: boolean;
  /** Takes stdout's text: whole lines, without the last line's end. */
  readonly out: (text: string) => void;
}

/** Resolves to the exit code: 0 only when all is as expected. */
export async function runSlaDemo({ json, isColoured, out }: SlaDemoOptions): Promise<number> {
  const week = await playWeek(STEPS);
  const check = checkWeek(week, STEPS);
  const { expectations, faults } = check;
  if (json) {
    out(JSON.stringify({ ...summaryOf(week), expectations, faults }));
  } else {
    const telling = { week, steps: STEPS, isColoured };
    out([introductionText(), weekText(telling), "", endText(telling, check)].join("\n"));
  }
  if (faults.length === 0) return 0;
  complain(faults.join("\n"));
  return 1;
}

function summaryOf({ items, notices, pushes, figures }: Week) {
  return {
    items: items.length,
    notices: notices.length,
    pushes: pushes.length,
    verdicts: items.flatMap(({ item, journal }) => verdictsOf(item, journal)),
    acceptanceRate: figures.acceptance.rate,
    medianAnswerMs: figures.timeToRespond.p50Ms,
    completionRate: figures.completion.rate,
    medianFulfilmentDays: figures.fulfilmentTime.p50Days,
  };
}
