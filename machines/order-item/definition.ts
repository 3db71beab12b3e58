/**
 * The order item as the engine takes it: the machine, and the declarations that make it durable.
 */
import { contextSchema, inputOf, type OrderItemContext } from "./context.ts";
import type { ActorLook, JsonMap, Refusal, ReportedEvent } from "./contract.ts";
import { clockedBy } from "./clocked.ts";
import { delayNoteFor } from "./delay-note.ts";
import { agreement, disagreement, divergenceView, unlessKnown } from "./divergence.ts";
import { effects } from "./effects.ts";
import { eventSchemas } from "./events.ts";
import { warningOf } from "./findings.ts";
import { ORDER_ITEM_VERSION, orderItemMachine } from "./machine.ts";
import { walked } from "./observed.ts";
import { type OrderItemOptions, optionsSchema } from "./options.ts";
import { isOffered, refusalOf } from "./rules.ts";
import { serviceabilityQuestion } from "./serviceability.ts";
import { statusOf } from "./statuses.ts";

/**
 * What tells of a person: who and where the customer is, who did something, and whatever people or other
 * systems write freely. Reference numbers are among `metadata` and are personal with it.
 */
const PERSONAL_FIELDS = [
  "customerInfo",
  "serviceAddress",
  "notes",
  "providerNotes",
  "note",
  "reason",
  "alternatives",
  "metadata",
  "references",
  "warnings",
  "window",
  "cancelledBy",
  "requestedBy",
  "approvedBy",
  "by",
] as const;

/** Throws a ZodError that lists every fault when the options are not valid. */
export function orderItemDefinition(options: Partial<OrderItemOptions> = {}) {
  const resolved = optionsSchema.parse(options);
  return {
    id: "order-item",
    version: ORDER_ITEM_VERSION,
    machine: orderItemMachine,
    birth: "order.received",
    events: eventSchemas(resolved.metadataMaxBytes),
    effects,
    context: contextSchema,
    input: (event: ReportedEvent) => inputOf(event, resolved),
    attributes: (context: JsonMap) => {
      const { account, order } = known(context);
      return { account, order: order.orderId };
    },
    personal: PERSONAL_FIELDS,
    status: statusOf,
    clocked: ({ context }: ActorLook) => clockedBy(known(context)),
    delayNote: (
      { context }: ActorLook,
      delay: { readonly clock: string; readonly dueAt: number },
    ) => {
      const params = delayNoteFor(known(context), delay);
      return params && { name: "pushStatus", params };
    },
    warnings: ({ context }: ActorLook) => known(context).warnings.map(warningOf),
    divergence: ({ context }: ActorLook) => divergenceView(known(context)),
    serviceability: ({ context }: ActorLook) => serviceabilityQuestion(known(context)),
    refuse: (event: ReportedEvent, actor: ActorLook): Refusal | undefined =>
      refusalOf(known(actor.context), event),
    isMarketplaceReport: ({ data }: ReportedEvent): boolean => data["origin"] === "marketplace",
    offers: (type: string, actor: ActorLook): boolean => isOffered(known(actor.context), type),
    expand,
  };
}

function expand(
  event: ReportedEvent,
  actor: ActorLook,
): readonly ReportedEvent[] | Refusal | undefined {
  const context = known(actor.context);
  switch (event.type) {
    case "order.diverged":
    case "order.converged":
      return unlessKnown(context, event);
    case "status.observed": {
      const path = walked(event, actor);
      if ("code" in path) return disagreement(context, event, path.message);
      return [...agreement(context, event), ...path];
    }
    default:
      return undefined;
  }
}

/** The engine has parsed the context with `contextSchema` when it loaded the actor. */
function known(context: JsonMap): OrderItemContext {
  return context as OrderItemContext;
}
