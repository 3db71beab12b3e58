/**
 * One story for every legal step between two statuses: the shortest plain way to where the step
 * begins, then the step. All is derived from the machine's own table, so that a new pair is shown
 * without a word here.
 */
import type { Pair } from "../../machines/order-item/pairs.ts";
import { legalPairs, PAIRS } from "../../machines/order-item/pairs.ts";
import type { Status } from "../../machines/order-item/statuses.ts";
import type { Calendar, Fact, Story } from "./demo-story.ts";
import { eventsOf, inTurn, received, report, updateOf } from "./demo-story.ts";

/** Every pair that is off by default is on here. */
export const ALL_FLAGS: Readonly<Partial<Record<NonNullable<Pair["flag"]>, true>>> =
  Object.fromEntries(PAIRS.flatMap(({ flag }) => (flag === undefined ? [] : [[flag, true]])));

const VERBS: Readonly<Record<Pair["event"], string>> = {
  "order.submitted": "submit",
  "order.accepted": "accept",
  "order.rejected": "reject",
  "appointment.scheduled": "schedule",
  "appointment.rescheduled": "reschedule",
  "work.started": "start",
  "work.completed": "complete",
  "work.failed": "fail",
  "service.activated": "activate",
  "order.cancelled": "cancel",
};

export function pairStories(calendar: Calendar): Story[] {
  const pairs = legalPairs("extended", ALL_FLAGS);
  const stories = pairs.map((pair) => pairStory(pair, pairs, calendar));
  return [...stories, noteStory(calendar)];
}

function pairStory(pair: Pair, pairs: readonly Pair[], calendar: Calendar): Story {
  const itemId = itemIdOf(pair, pairs);
  const steps = [...wayTo(pair.from, pairs), pair];
  const facts = steps.map((step) => factOf(step, calendar));
  const birth = received({ requiresInstallation: pair.condition !== "no-installation" });
  return {
    itemId,
    shows: showsOf(pair),
    jobs: inTurn(eventsOf(itemId, [birth, ...facts], calendar)),
    path: ["pending", ...steps.map(({ to }) => to)],
    // A withdrawn order was cancelled at the marketplace first: nobody is told what it said itself.
    saw: steps.flatMap((step, index) => {
      const fact = facts[index];
      return fact === undefined || step.condition === "withdrawn" ? [] : [updateOf(step.to, fact)];
    }),
  };
}

/** The one legal step that is no pair of statuses: the same status again, with a note. */
function noteStory(calendar: Calendar): Story {
  const itemId = "pair-24-note";
  const accepted = report("order.accepted", calendar);
  const noted: Fact = {
    type: "order.noted",
    data: { providerNotes: "Permit requested, the answer is expected tomorrow." },
  };
  return {
    itemId,
    shows: "24: any status stays, a note is pushed (flag)",
    jobs: inTurn(eventsOf(itemId, [received(), accepted, noted], calendar)),
    path: ["pending", "accepted", "accepted"],
    saw: [updateOf("accepted", accepted), updateOf("accepted", noted)],
  };
}

function factOf(pair: Pair, calendar: Calendar): Fact {
  const fact = report(pair.event, calendar);
  if (pair.condition !== "withdrawn") return fact;
  return { ...fact, data: { ...fact.data, origin: "reseller" } };
}

function itemIdOf({ number, event, from }: Pair, pairs: readonly Pair[]): string {
  const name = `pair-${String(number).padStart(2, "0")}-${VERBS[event]}`;
  const isShared = pairs.filter((pair) => pair.number === number).length > 1;
  return isShared ? `${name}-${(from.split("_to_")[0] ?? from).replaceAll("_", "-")}` : name;
}

function showsOf({ number, from, to, flag, condition }: Pair): string {
  const said = [flag === undefined ? [] : "flag", condition ?? []].flat();
  const suffix = said.length === 0 ? "" : ` (${said.join(", ")})`;
  return `${number}: ${from} to ${to}${suffix}`;
}

/** Breadth first over steps without conditions and flags, else over all of them. */
function wayTo(target: Status, pairs: readonly Pair[]): readonly Pair[] {
  const plain = pairs.filter((pair) => pair.condition === undefined && pair.flag === undefined);
  const way = shortestWay(plain, target) ?? shortestWay(pairs, target);
  if (way === undefined) throw new TypeError(`no legal way leads from pending to ${target}`);
  return way;
}

function shortestWay(pairs: readonly Pair[], target: Status): readonly Pair[] | undefined {
  const ways: { readonly end: Status; readonly steps: readonly Pair[] }[] = [
    { end: "pending", steps: [] },
  ];
  const seen = new Set<Status>(["pending"]);
  for (const { end, steps } of ways) {
    if (end === target) return steps;
    for (const pair of pairs) {
      if (pair.from !== end || seen.has(pair.to)) continue;
      seen.add(pair.to);
      ways.push({ end: pair.to, steps: [...steps, pair] });
    }
  }
  return undefined;
}
