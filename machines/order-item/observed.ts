/**
 * An observed status, walked. Some sources report where an item stands but not how it came there:
 * the shortest legal path is taken, and each step of it is marked as derived. A derived step is not
 * asked for the details that only somebody who took it could report.
 */
import type { OrderItemContext } from "./context.ts";
import type { ActorLook, JsonMap, Refusal, ReportedEvent } from "./contract.ts";
import { type ActorRules, rulesOf } from "./options.ts";
import { legalPairs, type Pair } from "./pairs.ts";
import { isWithdrawal } from "./rules.ts";
import { type Status, statusOf, statusSchema } from "./statuses.ts";

interface Observation {
  readonly event: ReportedEvent;
  readonly from: Status;
  readonly rules: ActorRules;
}

/** As `walkTo`, from where the item stands and by its own rules. */
export function walked(
  event: ReportedEvent,
  { value, context }: ActorLook,
): readonly ReportedEvent[] | Refusal {
  const rules = rulesOf(context as OrderItemContext);
  return walkTo({ event, from: statusOf(value), rules });
}

/**
 * The derived events, `[]` when the item is already there, or EVENT_NOT_ALLOWED when no path leads
 * there. Throws a ZodError when `event.data.status` is no status.
 */
function walkTo({ event, from, rules }: Observation): readonly ReportedEvent[] | Refusal {
  const target = statusSchema.parse(event.data["status"]);
  if (target === from) return [];
  const pairs = legalPairs(rules.profile, rules).filter(
    (pair) => pair.condition !== "withdrawn" || isWithdrawal(event.data["origin"]),
  );
  const path = shortestPath(pairs, from, target);
  if (path === undefined) {
    return {
      code: "EVENT_NOT_ALLOWED",
      message: `No legal path leads from "${from}" to the observed "${target}". Compare the source with the marketplace, then report what happened.`,
      allowed: [...new Set(pairs.filter((pair) => pair.from === from).map((pair) => pair.event))],
    };
  }
  return path.map((pair, index) => {
    const isLast = index === path.length - 1;
    return {
      type: pair.event,
      id: `${event.id}#${index + 1}`,
      source: event.source,
      time: event.time,
      at: event.at,
      data: isLast ? observedData(event.data) : impliedData(event.data, rules.pushIntermediate),
      derived: true,
    };
  });
}

function observedData(data: JsonMap): JsonMap {
  const { status: _reached, ...rest } = data;
  return rest;
}

function impliedData({ origin }: JsonMap, isPushed: boolean): JsonMap {
  return { ...(origin === undefined ? {} : { origin }), ...(isPushed ? {} : { quiet: true }) };
}

/** Breadth first; of two paths of one length the one with the lower pair numbers wins. */
function shortestPath(
  pairs: readonly Pair[],
  from: Status,
  target: Status,
): readonly Pair[] | undefined {
  const paths: { readonly end: Status; readonly steps: readonly Pair[] }[] = [
    { end: from, steps: [] },
  ];
  const seen = new Set<Status>([from]);
  for (const { end, steps } of paths) {
    if (end === target) return steps;
    for (const pair of pairs) {
      if (pair.from !== end || seen.has(pair.to)) continue;
      seen.add(pair.to);
      paths.push({ end: pair.to, steps: [...steps, pair] });
    }
  }
  return undefined;
}
