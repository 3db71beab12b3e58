/**
 * Order-item 2.0.0, for the items that were begun with it. It knows no divergence: an observed status that
 * it cannot reach is refused. In all else it is the present machine, whose states handle the facts of a
 * divergence as well; here nobody can send or derive one.
 */
import { orderItemDefinition } from "./definition.ts";
import type { ActorLook, ReportedEvent } from "./contract.ts";
import { walked } from "./observed.ts";
import type { OrderItemOptions } from "./options.ts";

/** Throws a ZodError that lists every fault when the options are not valid. */
export function orderItem2_0Definition(options: Partial<OrderItemOptions> = {}) {
  const { divergence: _unknown, events, ...present } = orderItemDefinition(options);
  const { "order.diverged": _diverged, "order.converged": _converged, ...known } = events;
  return {
    ...present,
    version: "2.0.0",
    events: known,
    expand: (event: ReportedEvent, actor: ActorLook) =>
      event.type === "status.observed" ? walked(event, actor) : undefined,
  };
}
