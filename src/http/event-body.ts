/** What a request's body holds: each event judged by itself, before anything is enqueued. */
import type { ArrivedEvent } from "../core/arrival.ts";
import type { Problem } from "../core/errors.ts";
import { EVENT_BATCH_MAX } from "../core/event.ts";
import type { CheckedEvent } from "../queue/producer.ts";
import { foreignItem } from "./speaking-for.ts";

/** What names an event to its producer; of one that cannot be read, whatever is there. */
export interface EventNames {
  readonly id?: string;
  readonly source?: string;
  readonly subject?: string;
}

/** One element of an answer's `results`, in the order of the body. */
export type EventResult = EventNames &
  ({ readonly outcome: "accepted" } | { readonly outcome: "refused"; readonly problem: Problem });

export type EventBody =
  | {
      readonly kind: "events";
      readonly results: readonly EventResult[];
      /** The accepted ones as a job carries them. */
      readonly accepted: readonly SentEvent[];
    }
  | { readonly kind: "batch-size"; readonly count: number; readonly problem: Problem };

export type SentEvent = Omit<ArrivedEvent, "time" | "isUndated"> & { readonly time?: string };

/** Longest name that is repeated, in characters: the longest that an event may have. */
const NAME_MAX = 256;

export interface BodyReading {
  readonly check: (value: unknown) => CheckedEvent;
  /** Says of items that have begun whether they are another account's than the sender's. */
  readonly findForeign: (itemIds: readonly string[]) => Promise<(itemId: string) => boolean>;
}

/** `body` is one event or an array of them. */
export async function readBody(
  body: unknown,
  { check, findForeign }: BodyReading,
): Promise<EventBody> {
  const events: readonly unknown[] = Array.isArray(body) ? body : [body];
  if (events.length === 0 || events.length > EVENT_BATCH_MAX) {
    const message = `A request holds one event or an array of 1 to ${EVENT_BATCH_MAX}, and this one holds ${events.length}. Split it.`;
    const problem: Problem = { code: "EVENT_BATCH_TOO_LARGE", message };
    return { kind: "batch-size", count: events.length, problem };
  }
  const read = events.map((value) => ({ value, checked: check(value) }));
  const itemIds = read.flatMap(({ checked }) =>
    checked.result === "event" ? [checked.event.subject] : [],
  );
  const isForeign = await findForeign(itemIds);
  const judged = read.map(({ value, checked }): (typeof read)[number] =>
    checked.result === "event" && isForeign(checked.event.subject)
      ? { value, checked: { result: "refused", problem: foreignItem(checked.event) } }
      : { value, checked },
  );
  return {
    kind: "events",
    results: judged.map(({ value, checked }) =>
      checked.result === "event"
        ? { ...namesOf(checked.event), outcome: "accepted" }
        : { ...namesOf(value), outcome: "refused", problem: checked.problem },
    ),
    accepted: judged.flatMap(({ checked }) =>
      checked.result === "event" ? [asSent(checked.event)] : [],
    ),
  };
}

/** Without the time that the check filled in: the worker must see that the producer gave none. */
function asSent({ isUndated, time, ...event }: ArrivedEvent): SentEvent {
  return isUndated === true ? event : { ...event, time };
}

function namesOf(value: unknown): EventNames {
  if (typeof value !== "object" || value === null) return {};
  const { id, source, subject } = value as Readonly<Record<string, unknown>>;
  const named = Object.entries({ id, source, subject }).flatMap(([name, given]) =>
    typeof given === "string" ? [[name, given.slice(0, NAME_MAX)]] : [],
  );
  return Object.fromEntries(named) as EventNames;
}
