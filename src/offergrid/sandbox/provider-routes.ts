/**
 * The provider side: list and read order items, change their status. Every PATCH is logged with its
 * answer, whether it was admitted or not, because the log is what deliveries are judged by.
 */
import type { FastifyInstance, FastifyRequest } from "fastify";
import { admit, headerOf, type Admission } from "./admission.ts";
import { answerCode, ok, refusal, sendAnswer, type Answer } from "./answer.ts";
import type { Team } from "./behaviour.ts";
import { ITEM_NOT_FOUND, withFault } from "./fault-answer.ts";
import { pageOf, type PageQuery } from "./listing.ts";
import type { MarketItem, MarketOrder, UpdateOutcome } from "./market.ts";
import type { SandboxContext } from "./sandbox-context.ts";
import { itemStatusSchema, parseStatusUpdate, statusAskedFor } from "./status-update.ts";

type ItemRoute = { Params: { itemId: string } };
type ListRoute = { Querystring: PageQuery & { status?: string } };

export function addProviderRoutes(app: FastifyInstance, context: SandboxContext): void {
  app.get<ListRoute>("/provider/orders", (request, reply) => {
    const admission = admit(context, request, { reply, side: "provider" });
    const answer = withFault(context, admission, {
      request: { method: "GET", itemId: undefined, status: request.query.status },
      answer: (team) => listItems(context, team, request.query),
    });
    sendAnswer(reply, answer, context.closing);
  });

  app.get<ItemRoute>("/provider/orders/:itemId", (request, reply) => {
    const { itemId } = request.params;
    const admission = admit(context, request, { reply, side: "provider" });
    const answer = withFault(context, admission, {
      request: { method: "GET", itemId, status: undefined },
      answer: (team) => {
        const item = findItem(context, team, itemId);
        return item ? ok(providerView(context, item)) : ITEM_NOT_FOUND;
      },
    });
    sendAnswer(reply, answer, context.closing);
  });

  app.patch<ItemRoute>(
    "/provider/orders/:itemId/status",
    {
      errorHandler: (error, request, reply) => {
        const answer = refusal(error.statusCode ?? 500, error.message);
        logPush(context, request, { team: undefined, applied: false, answer });
        sendAnswer(reply, answer, context.closing);
      },
    },
    (request, reply) => {
      const admission = admit(context, request, { reply, side: "provider" });
      const pushed = push(context, admission, request);
      logPush(context, request, { team: admission.team, ...pushed });
      sendAnswer(reply, pushed.answer, context.closing);
    },
  );
}

interface PushResult {
  readonly answer: Answer;
  /** Whether the item changed, whatever the answer says. */
  readonly applied: boolean;
}

function push(
  context: SandboxContext,
  admission: Admission,
  request: FastifyRequest<ItemRoute>,
): PushResult {
  const { market } = context;
  const { itemId } = request.params;
  let applied = false;
  const answer = withFault(context, admission, {
    request: { method: "PATCH", itemId, status: statusAskedFor(request.body) },
    answer: (team, fault) => {
      const item = findItem(context, team, itemId);
      if (!item) return ITEM_NOT_FOUND;
      const parsed = parseStatusUpdate(request.body, market.behaviour.unknownKeys);
      if (parsed.outcome === "invalid") return refusal(400, parsed.message);
      if (fault?.kind === "cancel-race") cancelFirst(context, item);
      const outcome = market.update(market.items.get(itemId) ?? item, parsed.update);
      applied = outcome.outcome === "applied";
      return updateAnswer(context, outcome, parsed.update.status);
    },
  });
  return { answer, applied };
}

/** Keeps a push in the log. `body` is absent when it could not be read. */
function logPush(
  context: SandboxContext,
  request: FastifyRequest<ItemRoute>,
  result: PushResult & { readonly team: Team | undefined },
): void {
  const { market } = context;
  const key = headerOf(request, "x-api-key");
  market.counters.patches += 1;
  if (result.applied) market.counters.applied += 1;
  market.pushLog.add({
    at: market.now(),
    itemId: request.params.itemId,
    account: result.team?.id,
    key: result.team ? key : key && `…${key.slice(-4)}`,
    idempotencyKey: headerOf(request, "idempotency-key"),
    body: request.body,
    status: statusAskedFor(request.body),
    applied: result.applied,
    answer: answerCode(result.answer),
  });
}

/** A race is staged whatever the cancel window is, else it could not happen late. */
function cancelFirst(context: SandboxContext, item: MarketItem): void {
  const order = context.market.orders.get(item.orderId);
  if (order) context.market.cancel(order, "Customer changed mind", "until-completed");
}

function findItem(context: SandboxContext, team: Team, itemId: string): MarketItem | undefined {
  const item = context.market.items.get(itemId);
  if (item) return item.account === team.id ? item : undefined;
  return context.market.behaviour.adoptUnknownItems ? adopt(context, team, itemId) : undefined;
}

function adopt(context: SandboxContext, team: Team, id: string): MarketItem | undefined {
  const offer = { account: team.id, offerId: "off-adopted", offerName: "Adopted item" };
  const added = context.market.add({
    id: `order-${id}`,
    reseller: "team-adopted",
    customerInfo: {},
    serviceAddress: {},
    items: [{ id, ...offer }],
    isAnnounced: false,
  });
  return added.outcome === "added" ? added.items[0] : undefined;
}

function listItems(context: SandboxContext, team: Team, query: ListRoute["Querystring"]): Answer {
  const status = itemStatusSchema.optional().safeParse(query.status);
  if (!status.success) return refusal(400, "status: not an order item status");
  const items: MarketItem[] = [];
  for (const item of context.market.items.values()) {
    const isWanted = status.data === undefined || item.status === status.data;
    if (isWanted && item.account === team.id) items.push(item);
  }
  const view = (item: MarketItem): unknown => providerView(context, item);
  return ok(pageOf(items, query, { style: context.market.behaviour.listPaging, view }));
}

function updateAnswer(context: SandboxContext, outcome: UpdateOutcome, asked: string): Answer {
  const { item } = outcome;
  switch (outcome.outcome) {
    case "applied":
    case "ignored":
      return ok(providerView(context, item));
    case "same-status":
      return refusal(409, `Order item is already ${item.status}`);
    case "illegal-step":
      return refusal(
        context.market.behaviour.illegalTransitionStatus,
        `Order item cannot go from ${item.status} to ${asked}`,
      );
  }
}

function providerView(context: SandboxContext, item: MarketItem): unknown {
  const order: MarketOrder | undefined = context.market.orders.get(item.orderId);
  const documented = {
    id: item.id,
    orderId: item.orderId,
    offerId: item.offerId,
    offerName: item.offerName,
    status: item.status,
    createdAt: item.createdAt,
    customerInfo: order?.customerInfo,
    serviceAddress: order?.serviceAddress,
    notes: order?.notes,
    metadata: order?.metadata,
  };
  if (context.market.behaviour.itemView === "documented") return documented;
  const { providerNotes, scheduledFor, updatedAt } = item;
  return { ...documented, providerNotes, scheduledFor, updatedAt };
}
