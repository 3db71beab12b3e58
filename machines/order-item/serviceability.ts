/** What somebody has to know of an order item who says whether it can be served. */
import type { OrderItemContext } from "./context.ts";
import type { JsonMap } from "./contract.ts";

/**
 * `undefined` once the item was answered, and while the sides disagree about it: a person settles that
 * first. Nothing of it names the customer.
 */
export function serviceabilityQuestion(context: Readonly<OrderItemContext>): JsonMap | undefined {
  const { status, order, serviceAddress, account, divergence } = context;
  const isWaiting = status === "pending" || status === "submitted_to_provider";
  if (!isWaiting || divergence !== undefined) return undefined;
  const { orderId, offerId, offerName, offerCategory, requiresInstallation, createdAt } = order;
  return {
    account,
    order: orderId,
    offer: { id: offerId, name: offerName },
    category: offerCategory,
    requiresInstallation,
    serviceAddress,
    createdAt,
  };
}
