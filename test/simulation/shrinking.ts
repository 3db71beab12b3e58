/** Makes a failing run as small as it can be: takes parts of its plan away for as long as it still fails. */
import { runAndJudge } from "./judgement.ts";
import type { Plant } from "./plants.ts";
import type { RunPlan } from "./plan.ts";

/** What was taken away from the plan of a seed, as it is written on the command line. */
export interface Cut {
  readonly faults: readonly number[];
  readonly items: readonly string[];
  /** Places in the plan's list of sends. */
  readonly sends: readonly number[];
  readonly processes: number;
}

export const NOTHING_CUT: Cut = { faults: [], items: [], sends: [], processes: 0 };

/** Runs of one shrinking: a greedy search ends long before. */
const RUNS_MAX = 200;

export function cutPlan(plan: RunPlan, cut: Cut): RunPlan {
  return {
    ...plan,
    processes: plan.processes - cut.processes,
    items: plan.items.filter(({ itemId }) => !cut.items.includes(itemId)),
    sends: plan.sends.filter((_, place) => !cut.sends.includes(place)),
    faults: plan.faults.filter(({ number }) => !cut.faults.includes(number)),
  };
}

/** Resolves with a cut under which the run still breaks one of the same rules. */
export async function shrink(plan: RunPlan, plant: Plant | undefined): Promise<Cut> {
  const rules = await brokenBy(plan, plant);
  let cut = NOTHING_CUT;
  let runs = 0;
  for (let isSmaller = true; isSmaller;) {
    isSmaller = false;
    for (const next of smaller(plan, cut)) {
      if ((runs += 1) > RUNS_MAX) return cut;
      const broken = await brokenBy(cutPlan(plan, next), plant);
      if (![...broken].some((rule) => rules.has(rule))) continue;
      cut = next;
      isSmaller = true;
      break;
    }
  }
  return cut;
}

async function brokenBy(plan: RunPlan, plant: Plant | undefined): Promise<ReadonlySet<string>> {
  const { wrong } = await runAndJudge(plan, { plant });
  return new Set(wrong.map(({ rule }) => rule));
}

/** Whole items first, then single faults and sends. Events of an item that stays are kept: without them the
 * rest would be late for another reason. */
function smaller(plan: RunPlan, cut: Cut): Cut[] {
  const rest = cutPlan(plan, cut);
  const repeats = plan.sends.flatMap((send, place) => {
    const others = rest.sends.filter((other) => other !== send);
    const isRepeat = send.events.every((event) =>
      others.some(({ events }) =>
        events.some((each) => each.itemId === event.itemId && each.place === event.place),
      ),
    );
    return isRepeat && !cut.sends.includes(place) ? [place] : [];
  });
  const items = rest.items.length > 1 ? rest.items : [];
  return [
    ...items.map(({ itemId }) => ({ ...cut, items: [...cut.items, itemId] })),
    ...rest.faults.map(({ number }) => ({ ...cut, faults: [...cut.faults, number] })),
    ...repeats.map((place) => ({ ...cut, sends: [...cut.sends, place] })),
    ...(rest.processes > 1 ? [{ ...cut, processes: cut.processes + 1 }] : []),
  ];
}
