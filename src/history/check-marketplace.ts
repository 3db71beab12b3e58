/**
 * The marketplace got what the journals tell, once and in order.
 *
 * A key is an effect's id. When the store has forgotten its last moments, effects of the forgotten life
 * are unknown to the journal, or have ids that were given again later: a request that came before the
 * decision of the effect whose key it bears belongs to the forgotten life. It may only be there when a
 * loss explains it, and what it changed may not be said a second time.
 */
import { canonicalText } from "../core/canonical-json.ts";
import { groupBy } from "../core/group-by.ts";
import type { DeliveryEntry } from "../core/journal.ts";
import type { MarketRequest } from "./history.ts";
import type { Evidence, ItemCase, KnownEffect } from "./item-case.ts";
import type { Rule, Violation } from "./verdict.ts";

/** The requests of one item, by the life that they belong to. */
interface Received {
  readonly known: readonly { readonly request: MarketRequest; readonly effect: KnownEffect }[];
  readonly unknown: readonly MarketRequest[];
}

type Say = (rule: Rule, message: string) => Violation;

export function checkMarketplace(
  evidence: Evidence,
  subject: ItemCase,
): { readonly violations: readonly Violation[]; readonly explainedDuplicates: number } {
  const say: Say = (rule, message) => ({ rule, itemId: subject.item.itemId, message });
  const received = sortByLife(subject, evidence);
  const { unexplained, explained } = checkRepeats(evidence, received, say);
  const violations = [
    ...checkUnknown(evidence, received, say),
    ...checkDelivered(subject, received, say),
    ...checkEachPushed(evidence, subject, say),
    ...checkSequence(received, say),
    ...checkStatuses(subject, received, say),
    ...checkAppliedTwice(subject, received, say),
    ...unexplained,
  ];
  return { violations, explainedDuplicates: explained };
}

/** Requests about items that are not part of the history at all. */
export function checkStrangers(
  { requestsOf, faults }: Evidence,
  known: ReadonlySet<string>,
): Violation[] {
  return [...requestsOf].flatMap(([itemId, requests]) =>
    known.has(itemId)
      ? []
      : requests
          .filter(({ at }) => !faults.mayForgetRequest(at))
          .map((request) => ({
            rule: "unexplained-push" as const,
            itemId,
            message: unknownPush(request),
          })),
  );
}

function sortByLife(
  { requests, effects, deliveries }: ItemCase,
  { history, faults }: Evidence,
): Received {
  const known: { request: MarketRequest; effect: KnownEffect }[] = [];
  const unknown: MarketRequest[] = [];
  const carried = new Map(deliveries.map(({ effect, status }) => [effect, status]));
  for (const request of requests) {
    const effect = effects.get(request.idempotencyKey);
    const told = carried.get(request.idempotencyKey);
    // Within the skew of the clocks, only what it says tells which life it belongs to.
    const saysOther = told !== undefined && told !== request.status;
    const isForgotten = saysOther && faults.mayForgetRequest(request.at);
    if (effect !== undefined && request.at >= effect.at - history.clockSkewMs && !isForgotten)
      known.push({ request, effect });
    else unknown.push(request);
  }
  return { known, unknown };
}

function checkUnknown({ faults }: Evidence, { unknown }: Received, say: Say): Violation[] {
  return unknown
    .filter(({ at }) => !faults.mayForgetRequest(at))
    .map((request) => say("unexplained-push", unknownPush(request)));
}

function unknownPush({ idempotencyKey, status, at }: MarketRequest): string {
  return `"${status}" was pushed at ${at} under key ${idempotencyKey || "(none)"}, of which no journal tells by then`;
}

/** Statuses to which the marketplace itself, or the reseller there, may have moved an item. */
const MOVED_BY_OTHERS: readonly string[] = ["submitted_to_provider", "cancelled"];

function checkDelivered(subject: ItemCase, received: Received, say: Say): Violation[] {
  const taken = new Set(
    received.known
      .filter(({ request }) => request.applied || isSuccess(request))
      .map(({ effect }) => effect.id),
  );
  const reached = new Set(
    subject.requests.filter(({ applied }) => applied).map(({ status }) => status),
  );
  return pushesDelivered(subject)
    .filter(({ effect }) => !taken.has(effect))
    .filter((entry) => !wasFound(entry, reached))
    .map(({ effect, status, answer }) =>
      say(
        "effect-not-delivered",
        `effect ${effect} ("${status}") is told delivered (${answer ?? "no answer"}), and the marketplace has not applied it`,
      ),
    );
}

/** A push may be found applied instead of sent, but some request must have told each of them; unless the
 * reseller has ended the item there, and it took no more. */
function checkEachPushed({ history, faults }: Evidence, subject: ItemCase, say: Say): Violation[] {
  if (history.isEachPushed !== true || faults.hasRefusal(subject.item.itemId)) return [];
  const told = subject.deliveries.filter(
    ({ outcome, name }) =>
      (outcome === "delivered" || outcome === "merged") &&
      subject.machine?.effects[name]?.channel === "marketplace",
  );
  return [...groupBy(told, ({ status = "" }) => status)].flatMap(([status, deliveries]) => {
    if (MOVED_BY_OTHERS.includes(status)) return [];
    const applied = subject.requests.filter((each) => each.applied && each.status === status);
    if (applied.length >= deliveries.length) return [];
    const message = `${deliveries.length} effects of "${status}" are told delivered, and ${applied.length} requests of it were applied`;
    return [say("effect-not-delivered", message)];
  });
}

/** An operator's notices never reach the marketplace, though they may name a status. */
function pushesDelivered({ deliveries, machine }: ItemCase): DeliveryEntry[] {
  return deliveries.filter(
    ({ outcome, name }) =>
      outcome === "delivered" && machine?.effects[name]?.channel === "marketplace",
  );
}

/** Delivered without an answer to it: the item was read, and showed the status already. */
function wasFound({ answer, status }: DeliveryEntry, reached: ReadonlySet<string>): boolean {
  if (answer?.includes("found applied") !== true || status === undefined) return false;
  return reached.has(status) || MOVED_BY_OTHERS.includes(status);
}

function checkSequence({ known }: Received, say: Say): Violation[] {
  const violations: Violation[] = [];
  let furthest: KnownEffect | undefined;
  for (const { request, effect } of known) {
    if (!request.applied) continue;
    if (furthest !== undefined && effect.place < furthest.place) {
      const message = `effect ${effect.id} ("${request.status}") was applied after ${furthest.id}`;
      violations.push(say("effects-out-of-order", message));
    } else {
      furthest = effect;
    }
  }
  return violations;
}

/** What went out under a key is what the journal says it carried. */
function checkStatuses({ deliveries }: ItemCase, { known }: Received, say: Say): Violation[] {
  const carried = new Map(deliveries.map(({ effect, status }) => [effect, status]));
  return known.flatMap(({ request, effect }) => {
    const told = carried.get(effect.id);
    if (told === undefined || told === request.status) return [];
    const message = `effect ${effect.id} carries "${told}", and was pushed as "${request.status}"`;
    return [say("unexplained-push", message)];
  });
}

function checkAppliedTwice(subject: ItemCase, received: Received, say: Say): Violation[] {
  const inThisLife = groupBy(
    received.known.filter(({ request }) => request.applied),
    ({ effect }) => effect.id,
  );
  const inTheOther = groupBy(
    received.unknown.filter(({ applied }) => applied),
    ({ idempotencyKey }) => idempotencyKey,
  );
  const byKey = [...inThisLife, ...inTheOther].flatMap(([key, each]) =>
    each.length < 2
      ? []
      : [say("duplicate-status-change", `effect ${key} was applied ${each.length} times`)],
  );
  return [...byKey, ...saidAgain(subject, received, say)];
}

/** The engine looks before it sends after a loss, so what the forgotten life has said is not said again:
 * the same status and body as often as the journal has effects with that status, and no more. */
function saidAgain(subject: ItemCase, { known, unknown }: Received, say: Say): Violation[] {
  const forgotten = groupBy(
    unknown.filter(({ applied }) => applied),
    contentOf,
  );
  if (forgotten.size === 0) return [];
  const anew = groupBy(
    known.filter(({ request }) => request.applied),
    ({ request }) => contentOf(request),
  );
  const told = groupBy(pushesDelivered(subject), ({ status }) => status);
  return [...forgotten].flatMap(([content, before]) => {
    const again = new Set(anew.get(content)?.map(({ effect }) => effect.id)).size;
    const status = before[0]?.status;
    const times = before.length + again;
    if (again === 0 || times <= (told.get(status)?.length ?? 0)) return [];
    const message = `"${status}" was applied ${times} times with the same content, and was forgotten in between`;
    return [say("duplicate-status-change", message)];
  });
}

function contentOf({ status, body }: MarketRequest): string {
  return canonicalText([status, body]);
}

/** An answer other than 2xx to a request that changed nothing asks for the repeat by itself; any other
 * repeat needs a fault that explains it. */
function checkRepeats(
  { faults }: Evidence,
  { known, unknown }: Received,
  say: Say,
): { readonly unexplained: readonly Violation[]; readonly explained: number } {
  const unexplained: Violation[] = [];
  let explained = 0;
  const byKey = [
    ...groupBy(
      known.map(({ request }) => request),
      ({ idempotencyKey }) => idempotencyKey,
    ).values(),
    ...groupBy(unknown, ({ idempotencyKey }) => idempotencyKey).values(),
  ];
  for (const requests of byKey) {
    for (const [index, request] of requests.entries()) {
      const before = requests[index - 1];
      if (before === undefined) continue;
      const { itemId, idempotencyKey } = request;
      const repeat = { itemId, first: before.at, second: request.at, wasPlain: isSuccess(before) };
      if (isRefused(before) || faults.explainsRepeat(repeat)) {
        explained += 1;
        continue;
      }
      const message = `effect ${idempotencyKey} was sent at ${before.at} (answer: ${before.answer}) and again at ${request.at}, and no fault explains it`;
      unexplained.push(say("unexplained-duplicate", message));
    }
  }
  return { unexplained, explained };
}

function isSuccess({ answer }: MarketRequest): boolean {
  return answer !== "none" && answer >= 200 && answer < 300;
}

function isRefused(request: MarketRequest): boolean {
  return request.answer !== "none" && !isSuccess(request) && !request.applied;
}
