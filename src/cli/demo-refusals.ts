/**
 * Stories in which one event is illegal or bad. Each of these ends with a code that says why, and
 * leaves the item and the marketplace as they were.
 */
import type { Status } from "../../machines/order-item/statuses.ts";
import type { ErrorCode } from "../core/errors.ts";
import type { StatusUpdate } from "../offergrid/status-update.ts";
import type { Calendar, Fact, Mark, Story } from "./demo-story.ts";
import { eventsOf, inTurn, received, report, updateOf } from "./demo-story.ts";
import { factOf, PRINTED, scheduledOn } from "./demo-workflows.ts";

interface Refusal {
  readonly name: string;
  readonly shows: string;
  /** Default: a complete order. */
  readonly birth?: Fact;
  /** Legal ones that come before it, with the status that each leads to. */
  readonly before?: readonly (readonly [Status, Fact])[];
  readonly bad: Fact;
  readonly code: ErrorCode;
  /** A legal one that comes after it, to show that the item is unharmed. */
  readonly after?: readonly [Status, Fact];
}

export function refusalStories(calendar: Calendar): Story[] {
  const refusals = [
    ...dateRefusals(calendar),
    ...dataRefusals(calendar),
    ...turnRefusals(calendar),
  ];
  return [...refusals.map((refusal) => storyOf(refusal, calendar)), unknownItem(calendar)];
}

function storyOf(refusal: Refusal, calendar: Calendar): Story {
  const { birth = received(), before = [], bad, code, after } = refusal;
  const itemId = `bad-${refusal.name}`;
  const later = after === undefined ? [] : [after];
  const facts = [birth, ...before.map(([, fact]) => fact), bad, ...later.map(([, fact]) => fact)];
  const statuses = (steps: typeof later): Mark[] => steps.map(([status]) => status);
  return {
    itemId,
    shows: refusal.shows,
    jobs: inTurn(eventsOf(itemId, facts, calendar)),
    path: ["pending", ...statuses([...before]), code, ...statuses(later)],
    saw: [...before, ...later].map(([status, fact]) => updateOf(status, fact)),
  };
}

const EXAMPLE_METADATA = {
  technicianName: "Mike Johnson",
  technicianPhone: "+1-555-999-8888",
} as const;

/** The page's example of a PATCH, as printed but for the day. */
function examplePatch(day: { readonly text: string; readonly onePm: string }): StatusUpdate {
  return {
    status: "scheduled",
    providerNotes: `Installation scheduled for Tuesday, ${day.text} between 1-5 PM`,
    scheduledFor: day.onePm,
    metadata: EXAMPLE_METADATA,
  };
}

function dateRefusals(calendar: Calendar): Refusal[] {
  const { appointment, nextDay } = calendar;
  const accepted = report("order.accepted", calendar);
  const before = [["accepted", accepted]] as const;
  const scheduled = factOf(scheduledOn(appointment));
  // The example lacks the appointment window, which the page asks for elsewhere.
  const metadata = { ...EXAMPLE_METADATA, appointmentWindow: "1-5 PM" };
  return [
    {
      name: "wrong-weekday",
      shows: `"Tuesday" and a Wednesday's date; then corrected`,
      before,
      bad: factOf(examplePatch(nextDay)),
      code: "SCHEDULE_WEEKDAY_MISMATCH",
      after: ["scheduled", factOf({ ...examplePatch(appointment), metadata })],
    },
    {
      name: "printed-example",
      shows: `the page's PATCH as printed: "Tuesday, Jan 15" of 2025 is a Wednesday`,
      before,
      bad: factOf(examplePatch(PRINTED)),
      code: "SCHEDULE_WEEKDAY_MISMATCH",
    },
    {
      name: "past-date",
      shows: "workflow 1 with its printed date, which is past",
      before,
      bad: factOf(scheduledOn(PRINTED)),
      code: "SCHEDULE_DATE_PAST",
    },
    {
      name: "naive-date",
      shows: "a date without an offset",
      before,
      bad: { ...scheduled, data: { ...scheduled.data, scheduledFor: `${appointment.date}T13:00` } },
      code: "SCHEDULE_DATE_NAIVE",
    },
  ];
}

function dataRefusals(calendar: Calendar): Refusal[] {
  return [
    {
      name: "no-reason",
      shows: "a rejection without a reason",
      bad: { type: "order.rejected" },
      code: "REASON_MISSING",
    },
    {
      name: "metadata-not-an-object",
      shows: "metadata that is a list",
      bad: {
        type: "order.accepted",
        data: { providerNotes: "Order accepted. We will call today.", metadata: ["WO-1"] },
      },
      code: "METADATA_INVALID",
    },
    {
      name: "customer-not-verified",
      shows: "accepted with no phone and no address",
      birth: {
        type: "order.received",
        data: {
          orderId: "demo-order",
          customerInfo: { fullName: "Ada Winter", email: "ada@example.com" },
        },
      },
      bad: report("order.accepted", calendar),
      code: "CUSTOMER_INFO_MISSING",
    },
    {
      name: "unknown-type",
      shows: "an event type that no machine knows",
      bad: { type: "order.teleported" },
      code: "EVENT_TYPE_UNKNOWN",
    },
    {
      name: "xstate-type",
      shows: "an event type of XState's own",
      bad: { type: "xstate.stop" },
      code: "EVENT_TYPE_RESERVED",
    },
  ];
}

function turnRefusals(calendar: Calendar): Refusal[] {
  const accepted = report("order.accepted", calendar);
  const rejected = report("order.rejected", calendar);
  return [
    {
      name: "final-item",
      shows: "accepted after it was rejected",
      before: [["rejected", rejected]],
      bad: accepted,
      code: "ITEM_FINAL",
    },
    {
      name: "never-again",
      shows: "a status that cannot come back",
      before: [["accepted", accepted]],
      bad: report("order.submitted", calendar),
      code: "EVENT_NOT_ALLOWED",
    },
    {
      name: "born-twice",
      shows: "a second order.received",
      bad: received(),
      code: "ITEM_EXISTS",
    },
    {
      name: "id-reused",
      shows: "an old event's id with other content",
      before: [["accepted", { ...accepted, id: "crm-4711" }]],
      bad: { ...report("work.started", calendar), id: "crm-4711" },
      code: "EVENT_ID_REUSED",
    },
    {
      name: "foreign-account",
      shows: "a sender that speaks for another account",
      bad: { ...accepted, account: "another-provider" },
      code: "EVENT_SUBJECT_FOREIGN",
    },
  ];
}

/** Nobody announced the item: the event is kept for a day, and nothing is made up. */
function unknownItem(calendar: Calendar): Story {
  const itemId = "bad-unknown-item";
  return {
    itemId,
    shows: "an item that nobody announced",
    jobs: inTurn(eventsOf(itemId, [report("order.accepted", calendar)], calendar)),
    path: ["ITEM_UNKNOWN"],
    saw: [],
  };
}
