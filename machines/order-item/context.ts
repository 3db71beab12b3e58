/**
 * What an order item's actor remembers: JSON alone, `null` for nothing, so that it is the same after
 * a round trip through Redis. `status` repeats the state's own word because an XState action cannot
 * see the state it runs in; every status state assigns it on entry, and nothing else does.
 */
import { z } from "zod";
import {
  customerInfoSchema,
  type EventType,
  receivedSchema,
  serviceAddressSchema,
} from "./events.ts";
import type { ReportedEvent } from "./contract.ts";
import { divergenceSchema, type Side } from "./divergence.ts";
import { findingSchema } from "./findings.ts";
import { type Metadata, referencesSchema } from "./metadata.ts";
import { actorChoices, actorChoicesSchema, type ResolvedOptions } from "./options.ts";
import { statusSchema } from "./statuses.ts";

const text = z.string().nullable();

const inputSchema = z.strictObject({
  account: z.string(),
  order: z.strictObject({
    orderId: z.string(),
    offerId: text,
    offerName: text,
    offerCategory: text,
    requiresInstallation: z.boolean(),
    createdAt: text,
  }),
  customerInfo: customerInfoSchema.nullable(),
  serviceAddress: serviceAddressSchema.nullable(),
  options: actorChoicesSchema,
  bornAs: z.enum(["pending", "submitted_to_provider"]),
  /** Ms since the epoch. */
  bornAt: z.number(),
});

export const contextSchema = inputSchema.extend({
  status: statusSchema,
  /** `scheduledFor` is ISO 8601 in UTC, `window` as it was written, "1-5 PM". */
  appointment: z.strictObject({ scheduledFor: z.string(), zone: text, window: text }).nullable(),
  references: referencesSchema,
  /** The last thing the provider said about the item. */
  note: text,
  wait: z.strictObject({ on: z.string(), reason: z.string(), sinceTime: z.string() }).nullable(),
  /** A cancellation that waits for, or got, somebody's decision. */
  cancellation: z
    .strictObject({
      requestedBy: z.string(),
      providerNotes: text,
      reasonCode: text,
      requestedAt: z.string(),
    })
    .nullable(),
  /** What a person should improve about the last update; an update that nobody reported has none. */
  warnings: z.array(findingSchema),
  divergence: divergenceSchema,
});

export type OrderItemInput = z.infer<typeof inputSchema>;
export type OrderItemContext = z.infer<typeof contextSchema>;

/** Any event's data, read alike: the schemas say which field belongs to which type. */
type EventData = {
  readonly providerNotes?: string;
  readonly scheduledFor?: string;
  readonly zone?: string;
  readonly metadata?: Metadata;
  readonly reasonCode?: string;
  readonly alternatives?: readonly string[];
  readonly origin?: "provider" | "reseller" | "marketplace";
  readonly cancelledBy?: string;
  readonly approvedBy?: string;
  readonly customerInfo?: z.infer<typeof customerInfoSchema>;
  readonly serviceAddress?: z.infer<typeof serviceAddressSchema>;
  readonly on?: "customer" | "reseller" | "provider";
  readonly reason?: string;
  readonly by?: string;
  readonly side?: Side;
  readonly status?: string;
  /** Set on a derived step that only leads to the observed status: it pushes nothing. */
  readonly quiet?: true;
};

export type OrderItemEvent = {
  [Type in EventType]: {
    readonly type: Type;
    readonly id: string;
    readonly source: string;
    readonly time: string;
    readonly at: number;
    readonly data: EventData;
    readonly derived?: boolean;
  };
}[EventType];

/** Whatever may be under way when a guard or an action runs: XState's own events have no data. */
export type SeenEvent = {
  readonly type: string;
  readonly source?: string;
  readonly time?: string;
  readonly at?: number;
  readonly data?: EventData;
  readonly derived?: boolean;
};

/** The machine's input. Throws a ZodError when the birth's data does not have its shape. */
export function inputOf(event: ReportedEvent, options: ResolvedOptions): OrderItemInput {
  const born = receivedSchema.parse(event.data);
  return {
    account: born.account,
    order: {
      orderId: born.orderId,
      offerId: born.offerId ?? null,
      offerName: born.offerName ?? null,
      offerCategory: born.offerCategory ?? null,
      requiresInstallation: born.requiresInstallation,
      createdAt: born.createdAt ?? null,
    },
    customerInfo: born.customerInfo ?? null,
    serviceAddress: born.serviceAddress ?? null,
    options: actorChoices(options, born.offerCategory),
    bornAs: born.status,
    bornAt: event.at,
  };
}

/** XState asks for a context without an input whenever it prepares a transition. */
const NO_INPUT: OrderItemInput = {
  account: "",
  order: {
    orderId: "",
    offerId: null,
    offerName: null,
    offerCategory: null,
    requiresInstallation: true,
    createdAt: null,
  },
  customerInfo: null,
  serviceAddress: null,
  options: {},
  bornAs: "pending",
  bornAt: 0,
};

export function initialContext(input: OrderItemInput | undefined): OrderItemContext {
  const known = input ?? NO_INPUT;
  return {
    ...known,
    status: "pending",
    appointment: null,
    references: {},
    note: null,
    wait: null,
    cancellation: null,
    warnings: [],
  };
}
