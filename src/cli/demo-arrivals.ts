/**
 * Stories whose events arrive early, late, twice or shuffled, as queues and CRMs deliver them. Order
 * is a property of the events, not of their arrival: each of these ends like the plain story.
 */
import type { Pair } from "../../machines/order-item/pairs.ts";
import type { Status } from "../../machines/order-item/statuses.ts";
import type { CloudEventInput } from "../core/event.ts";
import type { Calendar, Story } from "./demo-story.ts";
import { atOnce, eventsOf, inTurn, received, report, updateOf } from "./demo-story.ts";

const LIFE: readonly (readonly [Pair["event"], Status])[] = [
  ["order.accepted", "accepted"],
  ["appointment.scheduled", "scheduled"],
  ["work.started", "in_progress"],
  ["work.completed", "completed"],
  ["service.activated", "active"],
];

export function arrivalStories(calendar: Calendar): Story[] {
  return [
    told("arrival-backwards-twice", "a whole life backwards, and again", {
      calendar,
      jobs: (events) => atOnce([...events.toReversed(), ...events.toReversed()]),
    }),
    told("arrival-shuffled", "numbered events, shuffled", {
      calendar,
      jobs: (events) => atOnce(shuffled(numbered(events))),
    }),
    told("arrival-three-times", "each event three times at once", {
      calendar,
      jobs: (events) => atOnce(events.flatMap((event) => [event, event, event])),
    }),
    told("arrival-one-job", "a whole life in one job, backwards", {
      calendar,
      jobs: (events) => [{ wave: 0, name: "batch", data: events.toReversed() }],
    }),
    late(calendar),
  ];
}

function told(
  itemId: string,
  shows: string,
  {
    calendar,
    jobs,
  }: {
    readonly calendar: Calendar;
    readonly jobs: (events: readonly CloudEventInput[]) => Story["jobs"];
  },
): Story {
  const facts = LIFE.map(([type]) => report(type, calendar));
  return {
    itemId,
    shows,
    jobs: jobs(eventsOf(itemId, [received(), ...facts], calendar)),
    path: ["pending", ...LIFE.map(([, status]) => status)],
    saw: LIFE.flatMap(([, status], index) => {
      const fact = facts[index];
      return fact === undefined ? [] : [updateOf(status, fact)];
    }),
  };
}

/** The source numbers its events without holes, so that a missing one is waited for. */
function numbered(events: readonly CloudEventInput[]): CloudEventInput[] {
  return events.map((event, index) => ({
    ...event,
    sequence: index + 1,
    sequencetype: "Integer",
  }));
}

/** Always alike, so that two runs can be compared: the odd places backwards, then the even ones. */
function shuffled(events: readonly CloudEventInput[]): CloudEventInput[] {
  const odd = events.filter((_, index) => index % 2 === 1);
  const even = events.filter((_, index) => index % 2 === 0);
  return [...odd.toReversed(), ...even];
}

/** The receipt is reported after the acceptance that followed it. */
function late(calendar: Calendar): Story {
  const itemId = "arrival-late";
  const accepted = report("order.accepted", calendar);
  const facts = [received(), report("order.submitted", calendar), accepted];
  const [birth, receipt, acceptance] = eventsOf(itemId, facts, calendar);
  const arriving = [birth, acceptance, receipt].filter((event) => event !== undefined);
  return {
    itemId,
    shows: "an older fact after a newer one",
    jobs: inTurn(arriving),
    path: ["pending", "accepted", "EVENT_STALE"],
    saw: [updateOf("accepted", accepted)],
  };
}
