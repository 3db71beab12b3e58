/**
 * The reseller side: place orders, follow them, cancel them. Placing an order takes three fields
 * that the live API does not have (`id`, and per item `id` and `account`), so that a test can choose
 * the ids it will look for.
 */
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { admit } from "./admission.ts";
import { created, fieldRefusal, ok, refusal, sendAnswer, type Answer } from "./answer.ts";
import { issuePath, type Team } from "./behaviour.ts";
import type { ItemStatus } from "../status-update.ts";
import { slowestStatus } from "./item-status.ts";
import { pageOf, type PageQuery } from "./listing.ts";
import type { ItemDraft, MarketItem, MarketOrder } from "./market.ts";
import type { SandboxContext } from "./sandbox-context.ts";
import { itemStatusSchema } from "./status-update.ts";

/** Services in one order: far above any household's. */
const ORDER_ITEMS_MAX = 50;

const text = z.string().min(1).max(1_000);
const id = z.string().min(1).max(128);

const orderSchema = z.object({
  id: id.optional(),
  items: z
    .array(z.object({ offerId: id, id: id.optional(), account: id.optional() }))
    .min(1)
    .max(ORDER_ITEMS_MAX),
  serviceAddress: z.object({
    street: text,
    city: text,
    state: text,
    zipCode: text,
    country: text,
  }),
  customerInfo: z.object({ fullName: text, email: z.email("Invalid email format"), phone: text }),
  notes: z.string().max(10_000).optional(),
  metadata: z.record(z.string(), z.unknown()).optional(),
});

const cancelSchema = z.object({ reason: text });

type OrderRoute = { Params: { orderId: string } };
type ListRoute = { Querystring: PageQuery & { status?: string } };
type NewOrder = z.infer<typeof orderSchema>;

export function addResellerRoutes(app: FastifyInstance, context: SandboxContext): void {
  app.post("/reseller/orders", (request, reply) => {
    const admission = admit(context, request, { reply, side: "reseller" });
    const answer =
      admission.outcome === "refused"
        ? admission.answer
        : placeOrder(context, admission.team, request.body);
    sendAnswer(reply, answer, context.closing);
  });

  app.get<ListRoute>("/reseller/orders", (request, reply) => {
    const admission = admit(context, request, { reply, side: "reseller" });
    const answer =
      admission.outcome === "refused"
        ? admission.answer
        : listOrders(context, admission.team, request.query);
    sendAnswer(reply, answer, context.closing);
  });

  app.get<OrderRoute>("/reseller/orders/:orderId", (request, reply) => {
    const admission = admit(context, request, { reply, side: "reseller" });
    const answer =
      admission.outcome === "refused"
        ? admission.answer
        : withOrder(context, { team: admission.team, orderId: request.params.orderId }, (order) =>
            ok(orderView(context, order)),
          );
    sendAnswer(reply, answer, context.closing);
  });

  app.patch<OrderRoute>("/reseller/orders/:orderId/cancel", (request, reply) => {
    const admission = admit(context, request, { reply, side: "reseller" });
    const answer =
      admission.outcome === "refused"
        ? admission.answer
        : withOrder(context, { team: admission.team, orderId: request.params.orderId }, (order) =>
            cancelOrder(context, order, request.body),
          );
    sendAnswer(reply, answer, context.closing);
  });
}

function placeOrder(context: SandboxContext, team: Team, body: unknown): Answer {
  const parsed = orderSchema.safeParse(body);
  if (!parsed.success) return firstIssue(parsed.error);
  const order = parsed.data;
  if (order.id !== undefined && context.market.orders.has(order.id)) {
    return fieldRefusal("An order of this id exists", "id");
  }
  const items = order.items.flatMap((item) => itemDraft(context, item) ?? []);
  if (items.length < order.items.length) {
    const index = order.items.findIndex((item) => !itemDraft(context, item));
    const error = "Offer not found or not available to your team";
    return fieldRefusal(error, `items[${index}].offerId`);
  }
  const added = context.market.add({ ...order, reseller: team.id, items });
  switch (added.outcome) {
    case "added":
      return created({
        orderId: added.order.id,
        items: added.items.map(({ id: itemId, offerId, status }) => ({ itemId, offerId, status })),
        createdAt: added.order.createdAt,
      });
    case "item-exists":
      return fieldRefusal("An item of this id exists", `items[${added.index}].id`);
    case "full":
      return refusal(503, "The sandbox holds as many items as its itemLimit allows");
  }
}

/** Absent when the offer is unknown. An item that names its account needs no offer on the list. */
function itemDraft(
  context: SandboxContext,
  item: NewOrder["items"][number],
): ItemDraft | undefined {
  const offer = context.options.offers.find((candidate) => candidate.id === item.offerId);
  const account = item.account ?? offer?.account;
  if (account === undefined) return undefined;
  return { id: item.id, account, offerId: item.offerId, offerName: offer?.name ?? item.offerId };
}

function listOrders(context: SandboxContext, team: Team, query: ListRoute["Querystring"]): Answer {
  const status = itemStatusSchema.optional().safeParse(query.status);
  if (!status.success) return fieldRefusal("Not an order status", "status");
  const orders = [...context.market.orders.values()].filter(
    (order) =>
      order.reseller === team.id &&
      (status.data === undefined || orderStatus(context, order) === status.data),
  );
  const view = (order: MarketOrder): unknown => orderView(context, order);
  return ok(pageOf(orders, query, { style: context.market.behaviour.listPaging, view }));
}

function withOrder(
  context: SandboxContext,
  wanted: { readonly team: Team; readonly orderId: string },
  answer: (order: MarketOrder) => Answer,
): Answer {
  const order = context.market.orders.get(wanted.orderId);
  if (order?.reseller === wanted.team.id) return answer(order);
  return refusal(404, "Order not found or does not belong to your team");
}

function cancelOrder(context: SandboxContext, order: MarketOrder, body: unknown): Answer {
  const parsed = cancelSchema.safeParse(body);
  if (!parsed.success) return firstIssue(parsed.error);
  const outcome = context.market.cancel(order, parsed.data.reason);
  if (outcome.outcome === "cancelled") return ok(orderView(context, order));
  return refusal(400, `Order cannot be cancelled: it is ${orderStatus(context, order)}`);
}

function firstIssue(error: z.ZodError): Answer {
  const issue = error.issues[0];
  return fieldRefusal(issue?.message ?? "Invalid request", issuePath(issue?.path ?? []));
}

function orderView(context: SandboxContext, order: MarketOrder): unknown {
  const items = itemsOf(context, order);
  const { id: orderId, createdAt, customerInfo, serviceAddress, notes, metadata } = order;
  return {
    orderId,
    status: slowestStatus(items.map((item) => item.status)),
    createdAt,
    customerInfo,
    serviceAddress,
    notes,
    metadata,
    items: items.map(({ id: itemId, offerId, offerName, status, history }) => {
      return { itemId, offerId, offerName, status, history };
    }),
  };
}

function orderStatus(context: SandboxContext, order: MarketOrder): ItemStatus {
  return slowestStatus(itemsOf(context, order).map((item) => item.status));
}

function itemsOf(context: SandboxContext, order: MarketOrder): readonly MarketItem[] {
  return order.itemIds.flatMap((itemId) => context.market.items.get(itemId) ?? []);
}
