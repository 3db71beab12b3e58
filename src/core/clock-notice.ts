/** The notices of an item's clocks, as effects: who is told, and the words of it. */
import type { Breached, Fact, Notice } from "./clock-fact.ts";
import type { OpenClock } from "./clock-ledger.ts";
import type { LivingActor } from "./actor.ts";
import type { ActionEffect } from "./advance.ts";
import type { JsonObject } from "./event.ts";
import type { Machine } from "./machine.ts";

/** The effect by which operators are told. Machines may not declare one of this name. */
export const NOTIFY_EFFECT = "notify";

/** Params of `notify`. Moments are ISO 8601 in UTC. */
export interface NotifyParams extends JsonObject {
  /** Unique within the item: the same notice has the same key for ever. */
  readonly key: string;
  readonly kind: "reminder" | "breach" | "repeat" | "pause-limit" | "jeopardy" | "undecided";
  /** "owner", "lead" or "customer". */
  readonly to: readonly string[];
  /** One sentence for people. */
  readonly text: string;
  readonly account: string;
  readonly order?: string;
  readonly status: string;
  /** When it became true, however late it is delivered. */
  readonly at: string;
  readonly clock?: string;
  readonly rung?: string;
  readonly dueAt?: string;
  readonly level?: string;
  readonly was?: string;
  readonly predictedAt?: string;
  readonly committedAt?: string;
}

/**
 * A breach is noted to the marketplace only where the machine has words for it: else it would count as
 * noted, and the item's next note would be held back for one that nobody got.
 */
export function sayable(
  machine: Machine,
  actor: LivingActor,
  facts: readonly Fact[],
): readonly Fact[] {
  return facts.map((fact) => {
    if (fact.kind !== "breached" || fact.notice === undefined) return fact;
    if (delayNoteOf(machine, actor, fact) !== undefined) return fact;
    const { notice: _notice, notedAt: _notedAt, ...untold } = fact;
    return untold;
  });
}

/** In the machine's own words: the marketplace hears of a delay as it hears of a status. */
function delayNoteOf(
  machine: Machine,
  { snapshot: { value, context } }: LivingActor,
  { clock, at: dueAt }: Breached,
): ActionEffect | undefined {
  return machine.delayNote?.({ value, context }, { clock, dueAt });
}

/** In the order of the facts. `actor` has them applied. */
export function noticeEffects(
  machine: Machine,
  actor: LivingActor,
  facts: readonly Fact[],
): ActionEffect[] {
  return facts.flatMap((fact) => {
    if (!("notice" in fact) || fact.notice === undefined) return [];
    const { notice } = fact;
    if (fact.kind === "breached") return delayNoteOf(machine, actor, fact) ?? [];
    return [{ name: NOTIFY_EFFECT, params: notifyParams(machine, actor, { fact, notice }) }];
  });
}

type Telling = Extract<Fact, { readonly notice?: Notice }>;

interface Told {
  readonly fact: Telling;
  readonly notice: Notice;
}

function notifyParams(machine: Machine, actor: LivingActor, { fact, notice }: Told): NotifyParams {
  const { value, context } = actor.snapshot;
  const { account, order } = machine.attributes(context);
  const status = machine.status(value);
  const common = {
    key: notice.key,
    to: notice.to,
    account,
    ...(order !== undefined && { order }),
    status,
    at: isoOf(fact.at),
  };
  const subject = `Item ${actor.id} is "${status}"`;
  if (fact.kind === "jeopardy") {
    const predictedAt = isoOf(fact.predictedAt);
    const committedAt = isoOf(fact.committedAt);
    const { level, was } = fact;
    const text = `${subject} and ${level} (was ${was}): it will be done by ${predictedAt} and was promised for ${committedAt}.`;
    return { ...common, kind: "jeopardy", text, level, was, predictedAt, committedAt };
  }
  const clock = "clock" in fact ? fact.clock : "";
  const open = actor.clocks?.clocks[clock];
  const dueAt = open && isoOf(open.dueAt);
  const rest = { ...common, clock, ...(dueAt !== undefined && { dueAt }) };
  if (fact.kind !== "rang") {
    const text = `${subject} and has waited for as long as is allowed: its clock "${clock}" runs again${until(open)}.`;
    return { ...rest, kind: "pause-limit", text };
  }
  const { rung } = fact;
  const kind = rung === "breach" ? "breach" : rung.startsWith("breach+") ? "repeat" : "reminder";
  return { ...rest, kind, rung, text: `${subject}: ${sentence(kind, clock, open)}` };
}

function sentence(
  kind: "reminder" | "breach" | "repeat",
  clock: string,
  open: OpenClock | undefined,
): string {
  const due = open === undefined ? "" : ` at ${isoOf(open.dueAt)}`;
  if (kind === "reminder") return `"${clock}" is due${due}.`;
  return kind === "breach"
    ? `"${clock}" was due${due}, and is late.`
    : `"${clock}" was due${due}, and is still not done.`;
}

function until(open: OpenClock | undefined): string {
  return open === undefined ? "" : ` and is due at ${isoOf(open.dueAt)}`;
}

function isoOf(at: number): string {
  return new Date(at).toISOString();
}
