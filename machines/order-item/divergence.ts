/**
 * An item on which the two sides do not agree: what the marketplace shows, or what the CRM observed,
 * is not where the item stands and cannot be reached from there by legal steps.
 *
 * Always true: a divergence is a fact of the journal that leaves the status alone; each disagreement asks
 * a person once; it ends by another fact, never by time. Which side is right is nobody's guess.
 */
import { z } from "zod";
import type { OrderItemContext, SeenEvent } from "./context.ts";
import type { JsonMap, ReportedEvent } from "./contract.ts";
import { type Status, statusSchema } from "./statuses.ts";

const SIDES = ["marketplace", "crm"] as const;

export const sideSchema = z.enum(SIDES);

export type Side = z.infer<typeof sideSchema>;

/** What one side says instead of the item's status. */
const claimSchema = z.strictObject({
  /** As that side words it: it may be no status of ours. */
  status: z.string(),
  source: z.string(),
  /** When it was first seen to say so, ISO 8601. */
  sinceTime: z.string(),
  reason: z.string().optional(),
});

/** Absent while everybody agrees, so that the many items without one are no longer for it. */
export const divergenceSchema = z
  .strictObject({
    marketplace: claimSchema.optional(),
    crm: claimSchema.optional(),
  })
  .optional();

type Divergence = NonNullable<z.infer<typeof divergenceSchema>>;
type Known = Readonly<OrderItemContext>;

/** Who reports: the marketplace says so of itself, everybody else speaks for the CRM. */
function sideOf({ data }: Pick<ReportedEvent, "data">): Side {
  return data["origin"] === "marketplace" ? "marketplace" : "crm";
}

/** The divergence that an `order.diverged` leaves. */
export function divergedBy(context: Known, event: SeenEvent): Divergence {
  const { side = "crm", status = "", reason } = event.data ?? {};
  const { source = "", time = "" } = event;
  const claim = { status, source, sinceTime: time, ...(reason !== undefined && { reason }) };
  return { ...context.divergence, [side]: claim };
}

/** What is left when a side agrees again, or all of them when none is named. */
export function convergedBy(context: Known, event: SeenEvent): Divergence | undefined {
  const { side } = event.data ?? {};
  return side === undefined ? undefined : without(context.divergence, side);
}

/**
 * What is left once a status is entered. Whoever reports a step that can be taken has settled what it
 * said before, and a claim that has come true is none.
 */
export function divergenceAfter(
  { divergence }: Known,
  event: SeenEvent,
  status: Status,
): Divergence | undefined {
  const reporter = event.data?.origin === "marketplace" ? "marketplace" : "crm";
  let left = without(divergence, reporter);
  for (const side of SIDES) {
    if (left?.[side]?.status === status) left = without(left, side);
  }
  return left;
}

function without(divergence: Divergence | undefined, side: Side): Divergence | undefined {
  if (divergence === undefined) return undefined;
  const others = SIDES.filter((each) => each !== side && divergence[each] !== undefined);
  if (others.length === 0) return undefined;
  return Object.fromEntries(others.map((each) => [each, divergence[each]]));
}

/** `[]` for a disagreement that is known already, or an agreement that nobody had doubted. */
export function unlessKnown(context: Known, event: ReportedEvent): readonly [] | undefined {
  const { side, status } = event.data as { readonly side?: Side; readonly status?: string };
  if (event.type === "order.diverged") {
    const isKnown = side !== undefined && context.divergence?.[side]?.status === status;
    return isKnown || status === context.status ? [] : undefined;
  }
  const isDoubted =
    side === undefined ? context.divergence !== undefined : context.divergence?.[side];
  return isDoubted ? undefined : [];
}

/** An observed status that cannot be reached, as the disagreement that it is. */
export function disagreement(
  context: Known,
  event: ReportedEvent,
  reason: string,
): readonly ReportedEvent[] {
  const side = sideOf(event);
  const status = statusSchema.parse(event.data["status"]);
  if (context.divergence?.[side]?.status === status) return [];
  return [derivedFrom(event, "order.diverged", { side, status, reason })];
}

/** An observed status that can be reached ends what the same side said before. It comes first: behind the
 * steps the item may have ended. */
export function agreement(context: Known, event: ReportedEvent): readonly ReportedEvent[] {
  const side = sideOf(event);
  if (context.divergence?.[side] === undefined) return [];
  return [derivedFrom(event, "order.converged", { side })];
}

function derivedFrom(event: ReportedEvent, type: string, data: JsonMap): ReportedEvent {
  const { id, source, time, at } = event;
  return { type, id: `${id}#0`, source, time, at, data, derived: true };
}

/** For people and indexes; the earliest claim says since when. */
export interface DivergenceView {
  /** ISO 8601. */
  readonly sinceTime: string;
  readonly claims: readonly {
    readonly side: Side;
    readonly status: string;
    readonly source: string;
    readonly sinceTime: string;
    readonly reason?: string;
  }[];
}

export function divergenceView({ divergence }: Known): DivergenceView | undefined {
  if (divergence === undefined) return undefined;
  const claims = SIDES.flatMap((side) => {
    const claim = divergence[side];
    if (claim === undefined) return [];
    const { reason, ...said } = claim;
    return [{ side, ...said, ...(reason !== undefined && { reason }) }];
  });
  const [first] = claims.map(({ sinceTime }) => sinceTime).toSorted();
  return first === undefined ? undefined : { sinceTime: first, claims };
}
