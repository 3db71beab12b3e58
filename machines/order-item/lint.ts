/**
 * The marketplace's advice on status updates, checked. Each update that a source reports is looked
 * at before it is remembered; what is found travels with the item, or, where the installation wants
 * it so, refuses the event. Steps that nobody reported and what the marketplace says itself are not
 * judged: nobody could write them better.
 *
 * A finding is advice, so a check that is in doubt finds nothing.
 */
import { localTimeOf, minuteOf } from "./appointment-date.ts";
import { isWithin, windowOf } from "./appointment-window.ts";
import type { OrderItemContext, SeenEvent } from "./context.ts";
import type { Refusal } from "./contract.ts";
import { isTold } from "./effects.ts";
import { type Finding, finding, type FindingName, ruleOf, warningOf } from "./findings.ts";
import { holdsReference } from "./metadata.ts";
import { contactPromise, offersAlternative, saysNothing, saysWhatIsNext } from "./note-words.ts";
import type { LintLevel } from "./options.ts";
import type { Status } from "./statuses.ts";

const HOUR_MS = 3_600_000;
const GOAL_MS = 4 * HOUR_MS;
const LIMIT_MS = 24 * HOUR_MS;

/** Characters. */
const NOTE_MIN = 20;
const REASON_MIN = 40;

/** Fewer digits are no telephone number, and would be found in any other number. */
const PHONE_DIGITS_MIN = 7;

/** An event with the status that it leads to, before anything of it is remembered. */
export interface Update {
  readonly context: Readonly<OrderItemContext>;
  readonly event: SeenEvent;
  readonly status: Status;
}

/** The update with what every check asks for. */
interface Read extends Update {
  readonly data: NonNullable<SeenEvent["data"]>;
  /** Trimmed; empty for none. */
  readonly note: string;
}

/** What is to be improved, by the levels of the item; one event may break several rules. */
export function findingsOf(update: Update): readonly Finding[] {
  return foundIn(update).filter((each) => levelOf(update.context, each) !== "off");
}

/** LINT_REFUSED for a finding of a rule that is an error for this item. */
export function lintProblem(update: Update): Refusal | undefined {
  const { lint } = update.context.options;
  // Nearly every item has no such rule, and its events are not looked at twice.
  if (lint === undefined || !Object.values(lint).includes("error")) return undefined;
  const broken = foundIn(update).filter((each) => levelOf(update.context, each) === "error");
  if (broken.length === 0) return undefined;
  const faults = broken.map(warningOf).map(({ rule, message }) => `${rule}: ${message}`);
  return {
    code: "LINT_REFUSED",
    message: `${update.event.type} was refused by lint. ${faults.join(" ")} Then send it again under a new id.`,
  };
}

function levelOf({ options }: Readonly<OrderItemContext>, found: Finding): LintLevel {
  return options.lint?.[ruleOf(found)] ?? "warn";
}

function foundIn(update: Update): readonly Finding[] {
  const { event, context, status } = update;
  const { data } = event;
  if (data === undefined || event.derived === true || !isTold(context, event, status)) return [];
  const read: Read = { ...update, data, note: data.providerNotes?.trim() ?? "" };
  const checks = event.type === "order.noted" ? NOTE_CHECKS : UPDATE_CHECKS;
  return checks.flatMap((check) => check(read));
}

type Check = (update: Read) => readonly Finding[];

const NOTE_CHECKS: readonly Check[] = [promptness, words, promise, metadata];
const UPDATE_CHECKS: readonly Check[] = [
  promptness,
  response,
  words,
  promise,
  failures,
  appointment,
  references,
  fields,
  metadata,
];

function promptness({ event }: Read): readonly Finding[] {
  const lagMs = (event.at ?? NaN) - Date.parse(event.time ?? "");
  if (lagMs > LIMIT_MS) return [finding("promptness.days")];
  return lagMs > GOAL_MS ? [finding("promptness.hours")] : [];
}

function response({ context, event, status }: Read): readonly Finding[] {
  if (status !== "accepted" && status !== "rejected") return [];
  const { createdAt } = context.order;
  const madeAt = createdAt === null ? context.bornAt : Date.parse(createdAt);
  const waitedMs = Date.parse(event.time ?? "") - madeAt;
  if (waitedMs > LIMIT_MS) return [finding("response.limit")];
  return waitedMs > GOAL_MS ? [finding("response.goal")] : [];
}

/** A next step is owed where the item cannot go on by itself; a date or an end says it already. */
const WITH_NEXT_STEP: readonly Status[] = ["submitted_to_provider", "accepted", "failed"];
const WITH_REASON: readonly Status[] = ["rejected", "failed"];

function words({ context, event, note, status }: Read): readonly Finding[] {
  if (note === "") return [finding("notes.missing")];
  if (saysNothing(note)) return [finding("notes.empty")];
  const isReason = WITH_REASON.includes(status) && event.type !== "order.noted";
  const isOwed = WITH_NEXT_STEP.includes(status) && event.type !== "order.noted";
  return listOf({
    "notes.short": !isReason && note.length < NOTE_MIN,
    "notes.repeated": note.toLowerCase() === context.note?.trim().toLowerCase(),
    "notes.next": isOwed && !saysWhatIsNext(note),
  });
}

function promise({ note }: Read): readonly Finding[] {
  const promised = contactPromise(note);
  if (promised === undefined || promised.lengthMs <= LIMIT_MS) return [];
  return [finding("promise.long", promised.words)];
}

function failures({ data, note, status }: Read): readonly Finding[] {
  if (!WITH_REASON.includes(status)) return [];
  const isAlternativeGiven =
    data.alternatives !== undefined || data.metadata?.["alternatives"] !== undefined;
  return listOf({
    "failures.reasonCode": !data.reasonCode && !data.metadata?.["reasonCode"],
    "failures.short": note !== "" && note.length < REASON_MIN && !saysNothing(note),
    "failures.alternatives":
      status === "rejected" && !isAlternativeGiven && !offersAlternative(note),
  });
}

function appointment({ data, status }: Read): readonly Finding[] {
  if (status !== "scheduled") return [];
  const written = data.metadata?.["appointmentWindow"];
  const text = typeof written === "string" ? written : String(written ?? "");
  const window = windowOf(text);
  if (window === undefined) return [finding("schedule.window", text)];
  const time = data.scheduledFor && localTimeOf(data.scheduledFor, data.zone);
  if (time === undefined || time === "" || isWithin(window, minuteOf(time))) return [];
  return [finding("schedule.outside", time)];
}

const WITH_REFERENCE: readonly Status[] = ["scheduled", "completed", "active"];

function references(update: Read): readonly Finding[] {
  return WITH_REFERENCE.includes(update.status) && !isReferenceKnown(update)
    ? [finding("references.missing")]
    : [];
}

function isReferenceKnown({ context, data }: Read): boolean {
  return Object.keys(context.references).length > 0 || holdsReference(data.metadata);
}

const TECHNICIAN = ["technicianName", "technicianPhone", "technicianId"];
const SERVICE_DATES = ["activationDate", "effectiveDate", "completedDate"];

function fields(update: Read): readonly Finding[] {
  const { status, data } = update;
  const lacks = (keys: readonly string[]) => !keys.some((key) => data.metadata?.[key]);
  return listOf({
    "fields.reference": status === "submitted_to_provider" && !isReferenceKnown(update),
    "fields.technician": status === "scheduled" && lacks(TECHNICIAN),
    "fields.date": (status === "completed" || status === "active") && lacks(SERVICE_DATES),
  });
}

const CAMEL_CASE = /^[a-z][a-zA-Z0-9]*$/u;

function metadata(update: Read): readonly Finding[] {
  const given = Object.entries(update.data.metadata ?? {});
  if (given.length === 0) return [];
  const personal = personalIn(update);
  return [
    ...firstOf(given, "metadata.key", ([key]) => !CAMEL_CASE.test(key)),
    ...firstOf(given, "metadata.value", ([key, value]) => {
      return typeof value !== "string" && key !== "alternatives";
    }),
    ...firstOf(given, "metadata.personal", ([, value]) => personal(String(value))),
  ];
}

type Given = readonly [key: string, value: unknown];

/** One finding of a kind is enough to go and look. */
function firstOf(
  given: readonly Given[],
  name: FindingName,
  isBroken: (each: Given) => boolean,
): readonly Finding[] {
  const broken = given.find(isBroken);
  return broken === undefined ? [] : [finding(name, broken[0])];
}

/** Whether a text holds what is known of the customer. */
function personalIn({ context, data }: Read): (text: string) => boolean {
  const { fullName, email, phone } = { ...context.customerInfo, ...data.customerInfo };
  // A name of one word may be the technician's as well.
  const names = [fullName?.includes(" ") === true ? fullName : "", email ?? ""]
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== "");
  const digits = digitsOf(phone ?? "");
  return (text) => {
    const plain = text.toLowerCase();
    const isNumber = digits.length >= PHONE_DIGITS_MIN && digitsOf(text).includes(digits);
    return isNumber || names.some((name) => plain.includes(name));
  };
}

function digitsOf(text: string): string {
  return text.replaceAll(/\D/gu, "");
}

/** The names that are true. */
function listOf(found: Partial<Record<FindingName, boolean>>): readonly Finding[] {
  return (Object.keys(found) as FindingName[])
    .filter((name) => found[name] === true)
    .map((name) => finding(name));
}
