/**
 * Personal data: what of an item's record tells of a person, and the record as it is shown to whoever may
 * not see that. Pure.
 *
 * Always true: the shape stays, and what is hidden says so. What is not known to be harmless is hidden: in
 * the engine's own records every text but those of known fields, in what came from outside everything but
 * what the machine's schema took and its definition does not call personal. So a field that is added one
 * day is hidden until somebody has thought of it here.
 */
import { NOTIFY_EFFECT } from "./clock-notice.ts";
import type { ErrorCode } from "./errors.ts";
import type { Machines } from "./machine.ts";

const REDACTED = "[redacted]";

/** A JSON value of the engine's own making, answers of the API for one, without personal data. */
export function withoutPersonalData(machines: Machines, value: unknown): unknown {
  return new Redaction(machines).ours(value, "");
}

/** Params of an effect, as a log line may have them. */
export function paramsWithoutPersonalData(
  machines: Machines,
  { name, params }: { readonly name: string; readonly params: unknown },
): unknown {
  return new Redaction(machines).params(name, params);
}

/** Texts of these fields are ids, words of a machine or of the engine, or moments. */
const SHOWN_FIELDS = new Set(
  `about account action allowed breach channel clock code datacontenttype definition derived description
  effect event happening hash id is item itemId jeopardy key kind lane level machine name next occurredAt on
  order orderId outcome prev rule says side sinceTime rung sequence sequencetype skipped source specversion stage state status
  subject targets time timer to token type version was why zone`.split(/\s+/),
);

/** Fields that hold one of the engine's words, and elsewhere what people write. */
const SHOWN_WORDS: Readonly<Record<string, readonly string[]>> = {
  reason: ["early", "gap", "unknown-item"],
  by: ["event", "limit"],
  answer: ["found applied when the item was read", "cancelled at the marketplace"],
};

/** Objects and lists that the engine builds itself; what is in any other came from outside. */
const OUR_CONTAINERS = new Set(
  `allowed answers birth change claims clocks deadLetters definition derived divergence effect effects entries entry event
  items jeopardy lanes late letters next notice parked pending problem regions skipped state taken targets
  timers to wait waiting warnings words`.split(/\s+/),
);

/** Containers of texts that the machine's author wrote: names of states. */
const MACHINE_CONTAINERS = new Set(["value"]);

/** What the machine made of event data that its schemas took. */
const DECLARED_CONTAINERS = new Set(["context", "input", "notes"]);

/** Codes whose sentences the engine makes of ids, types, words and moments. Others may quote somebody. */
const PLAIN_CODES: ReadonlySet<unknown> = new Set<ErrorCode>([
  "EVENT_TYPE_UNKNOWN",
  "EVENT_TYPE_RESERVED",
  "EVENT_SUBJECT_FOREIGN",
  "EVENT_TOO_LARGE",
  "EVENT_BATCH_TOO_LARGE",
  "EVENT_ID_REUSED",
  "EVENT_NOT_ALLOWED",
  "EVENT_STALE",
  "EVENT_TOO_EARLY",
  "ITEM_FINAL",
  "ITEM_UNKNOWN",
  "ITEM_EXISTS",
  "PARKED_EXPIRED",
  "PARKED_FULL",
  "JOURNAL_FULL",
  "JOB_CRASHED_WORKER",
  "MACHINE_UNKNOWN",
  "EFFECT_UNHANDLED",
]);

type Fields = Readonly<Record<string, unknown>>;

class Redaction {
  readonly #machines: Machines;
  /** Absent: some machine does not say, so nothing from outside is known to be harmless. */
  readonly #personal: ReadonlySet<string> | undefined;

  constructor(machines: Machines) {
    this.#machines = machines;
    const declared = machines.all.map(({ personal }) => personal);
    this.#personal = declared.includes(undefined)
      ? undefined
      : new Set(declared.flat() as string[]);
  }

  /** `field`: under which the value stands; the elements of a list stand under the list's. */
  ours(value: unknown, field: string): unknown {
    if (typeof value === "string") return ourText(value, field);
    if (Array.isArray(value)) return value.map((each) => this.ours(each, field));
    if (!isFields(value)) return value;
    const shown = Object.entries(value).map(([name, each]) => [
      name,
      this.#member(value, name, each),
    ]);
    return Object.fromEntries(shown);
  }

  params(name: unknown, params: unknown): unknown {
    // The engine makes notices of ids, names of clocks and statuses; whoever is told needs all of it.
    return name === NOTIFY_EFFECT ? params : this.#declared(params);
  }

  #member(parent: Fields, name: string, value: unknown): unknown {
    if (name === "message" && PLAIN_CODES.has(parent["code"])) return value;
    if (typeof value !== "object" || value === null) return this.ours(value, name);
    if (OUR_CONTAINERS.has(name)) return this.ours(value, name);
    if (MACHINE_CONTAINERS.has(name)) return value;
    if (DECLARED_CONTAINERS.has(name)) return this.#declared(value);
    if (name === "params") return this.params(parent["name"], value);
    if (name === "data" && this.#fits(parent["type"], value)) return this.#declared(value);
    // Even the names of its fields may be what somebody typed.
    return REDACTED;
  }

  /** Only what the machine's own schema took is what its author had in mind. */
  #fits(type: unknown, data: unknown): boolean {
    const machine = typeof type === "string" ? this.#machines.byEventType(type) : undefined;
    return machine?.events[String(type)]?.safeParse(data).success === true;
  }

  #declared(value: unknown): unknown {
    const personal = this.#personal;
    if (personal === undefined) return hidden(value);
    if (Array.isArray(value)) return value.map((each) => this.#declared(each));
    if (!isFields(value)) return value;
    const shown = Object.entries(value).map(([name, each]) => [
      name,
      personal.has(name) ? hidden(each) : this.#declared(each),
    ]);
    return Object.fromEntries(shown);
  }
}

function ourText(text: string, field: string): string {
  if (SHOWN_FIELDS.has(field) || SHOWN_WORDS[field]?.includes(text) === true) return text;
  // What the marketplace said behind the status may be what it was told.
  const [, status] = field === "answer" ? (/^(status \d{3})(?::|;|$)/.exec(text) ?? []) : [];
  if (status === undefined) return REDACTED;
  return text === status ? text : `${status}: ${REDACTED}`;
}

/** Numbers too: a phone number is one for many a system. */
function hidden(value: unknown): unknown {
  if (typeof value === "string" || typeof value === "number") return REDACTED;
  if (Array.isArray(value)) return value.map(hidden);
  if (!isFields(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, hidden(each)]));
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null;
}
