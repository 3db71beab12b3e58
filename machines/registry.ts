/**
 * The products whose items this installation fulfils: one line each, and one for each version that items
 * were begun with, the newest first.
 */
import { orderItemDefinition } from "./order-item/definition.ts";
import type { OrderItemOptions } from "./order-item/options.ts";
import { orderItem2_0Definition } from "./order-item/version-2-0.ts";

export interface RegistryOptions {
  readonly orderItem?: Partial<OrderItemOptions>;
}

export function definitions({ orderItem }: RegistryOptions = {}) {
  return [orderItemDefinition(orderItem), orderItem2_0Definition(orderItem)];
}
