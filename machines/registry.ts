/**
 * The products whose items this installation fulfils: one line each.
 */
import { orderItemDefinition } from "./order-item/definition.ts";
import type { OrderItemOptions } from "./order-item/options.ts";

export interface RegistryOptions {
  readonly orderItem?: Partial<OrderItemOptions>;
}

export function definitions({ orderItem }: RegistryOptions = {}) {
  return [orderItemDefinition(orderItem)];
}
