/**
 * The demonstration's week as a story: what the three journals say, in one order of time, with what people
 * did told in their words and all moments in New York's. Pure.
 */
import { isClockEvent } from "../core/clock-event.ts";
import type { DecisionEntry, DeliveryEntry } from "../core/journal.ts";
import { factSentences } from "./clock-story.ts";
import { type Check, ownNote } from "./demo-sla-check.ts";
import { eventIdOf, type Week } from "./demo-sla-play.ts";
import { momentOf, type Step, ZONE } from "./demo-sla-story.ts";
import { type Verdict, verdictsOf } from "./demo-sla-verdicts.ts";
import { hoursText, onTheWall, wallOf } from "./demo-sla-wall.ts";
import { count, momentText, table, wrapped } from "./text-layout.ts";

export interface Telling {
  readonly week: Week;
  readonly steps: readonly Step[];
  /** Whether what went wrong stands out in red. */
  readonly isColoured: boolean;
}

const INDENT = "  ";
/** Behind the time and the item. */
const STORY_INDENT = " ".repeat("  13:30  fiber-1  ".length);

const LATE_MS = 60_000;

export function introductionText(): string {
  return `A week of three orders at a provider in New York, played on a clock that is turned: Memorial Day weekend,
2026. Open hours are Monday to Friday 9-12 and 13-18 and Saturday 9-13; Monday the 25th is closed. Customers
are told something between 8 and 20. Times are those of ${ZONE}; "→" says who was told.`;
}

/** Something of the week, in the lines that tell it. */
interface Scene {
  readonly at: number;
  readonly who: string;
  readonly says: readonly string[];
}

export function weekText(telling: Telling): string {
  const scenes = scenesOf(telling).toSorted((one, other) => one.at - other.at);
  const lines: string[] = [];
  let day = "";
  for (const scene of scenes) {
    const today = dayText(scene.at);
    if (today !== day) lines.push("", today);
    day = today;
    lines.push(...sceneLines(scene, telling.isColoured));
  }
  return lines.join("\n");
}

export function endText({ week, isColoured }: Telling, check: Check): string {
  const verdicts = week.items.flatMap(({ item, journal }) => verdictsOf(item, journal));
  const [heading = "", ...rows] = table(HEADINGS, verdicts.map(cellsOf)).split("\n");
  const coloured = rows.map((row) => (isColoured && /MISSED/.test(row) ? red(row) : row));
  return [heading, ...coloured, "", ...figuresOf(week), "", checkedText(check)].join("\n");
}

/** The steps first: what they bring about stands behind them. */
function scenesOf({ week, steps }: Telling): readonly Scene[] {
  const changes = steps.flatMap((step): Scene[] =>
    step.kind === "policy"
      ? [{ at: Date.parse(momentOf(step.at)), who: "policy", says: [step.says] }]
      : [],
  );
  const said = new Map(steps.map((step) => [eventIdOf(steps, step), step.says]));
  const told = week.items.flatMap(({ item, journal }) => {
    const dues = new Map<string, number>();
    return journal.flatMap((entry): Scene[] => {
      const scene = { at: entry.at, who: item };
      if (entry.kind !== "delivery") {
        return [{ ...scene, says: [...headOf(entry, said), ...storyOf(entry, dues)] }];
      }
      const says = patchOf(entry, { week, steps });
      return says === undefined ? [] : [{ ...scene, says: [says] }];
    });
  });
  return [...changes, ...told];
}

/** What a person did; nothing when time alone acted. */
function headOf(entry: DecisionEntry, said: ReadonlyMap<string, string>): readonly string[] {
  if (entry.kind !== "event") return [];
  const { event, at, problem } = entry;
  // Other events' reasons are told by their facts.
  const reason = isClockEvent(event.type) ? event.data["reason"] : undefined;
  const happenedAt = Date.parse(event.time);
  return [
    said.get(event.id) ?? event.type,
    ...(problem === undefined ? [] : [`REFUSED: ${problem.message}`]),
    ...(typeof reason === "string" ? [`because: ${reason}`] : []),
    ...(at - happenedAt > LATE_MS ? [`counted from ${localText(happenedAt)} on`] : []),
  ];
}

/** `dues` are those before it, and are kept. */
function storyOf({ at, clocks: facts = [] }: DecisionEntry, dues: Map<string, number>): string[] {
  const sentences = [...factSentences(onTheWall(facts))];
  for (const fact of facts) {
    if (fact.kind === "rang" && fact.lane === "customer" && fact.at < at) {
      sentences.push(`it was held back since ${localText(fact.at)}: quiet hours`);
    }
    if (fact.kind !== "started" && fact.kind !== "moved" && fact.kind !== "resumed") continue;
    const before = dues.get(fact.clock);
    dues.set(fact.clock, fact.dueAt);
    if (fact.kind === "started" || before === undefined) continue;
    sentences.push(`due ${fact.clock}: ${localText(before)} → ${localText(fact.dueAt)}`);
  }
  return sentences;
}

function patchOf(
  { at, name, effect, status, outcome }: DeliveryEntry,
  { week, steps }: Pick<Telling, "week" | "steps">,
): string | undefined {
  if (name !== "pushStatus") return undefined;
  const [itemId] = effect.split(":");
  const push = week.pushes.find((each) => each.at === at && each.itemId === itemId);
  const note = push && ownNote(push.body, steps);
  const words = note === undefined ? "" : `, unchanged, with the note "${note}"`;
  return `${outcome} → marketplace: ${status ?? "nothing"}${words}`;
}

function sceneLines({ at, who, says }: Scene, isColoured: boolean): readonly string[] {
  const time = momentText(wallOf(at)).slice(-"13:30".length);
  return says.map((text, index) => {
    const body = wrapped(text, STORY_INDENT);
    const head = `${INDENT}${time}  ${who}`.padEnd(STORY_INDENT.length);
    const line = index === 0 ? head + body.slice(STORY_INDENT.length) : body;
    return isColoured && /BREACH|MISSED|REFUSED/.test(text) ? red(line) : line;
  });
}

const HEADINGS = ["ITEM", "CLOCK", "TARGET", "USED", "DUE", "ENDED", "VERDICT"];

function cellsOf(verdict: Verdict): readonly string[] {
  const { item, clock, kind, outcome, targetMs, usedMs, dueAt, endedAt } = verdict;
  const isDuration = kind === "duration";
  return [
    item,
    clock,
    isDuration ? hoursText(targetMs) : "its date",
    isDuration ? hoursText(usedMs) : "",
    localText(dueAt),
    localText(endedAt),
    outcome === "missed" ? "MISSED" : outcome,
  ];
}

function figuresOf({ figures }: Week): readonly string[] {
  const { acceptance, timeToRespond, completion, fulfilmentTime } = figures;
  const days = fulfilmentTime.p50Days ?? 0;
  return [
    `Accepted ${acceptance.accepted} of ${acceptance.accepted + acceptance.rejected} orders, answered after ${hoursText(timeToRespond.p50Ms ?? 0)} hours (median, by the wall);`,
    `completed ${completion.completed} of ${acceptance.accepted} accepted ones, within ${days.toFixed(1)} days (median).`,
  ];
}

function checkedText({ expectations, faults }: Check): string {
  const checked = `checked: ${count(expectations, "expectation")}`;
  return faults.length === 0 ? `${checked}, all held` : `${checked}, ${faults.length} deviations`;
}

function dayText(at: number): string {
  return new Date(wallOf(at)).toLocaleDateString("en-GB", {
    weekday: "long",
    day: "numeric",
    month: "long",
    timeZone: "UTC",
  });
}

function localText(at: number): string {
  return momentText(wallOf(at));
}

function red(text: string): string {
  return `\u001B[31m${text}\u001B[39m`;
}
