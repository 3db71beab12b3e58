/** Orders at the sandbox, and items of them that are led somewhere by ordinary events. */
import { openOffergridClient } from "../../src/offergrid/offergrid-client.ts";
import type { PushAccount } from "../../src/engine/push-ending.ts";
import type { Harness } from "./engine-harness.ts";
import { orderEvent } from "./order-item-events.ts";

/** The sandbox's one provider account, without a limit. Its client is the caller's to close. */
export function sandboxAccount({ sandbox: { url: baseUrl } }: Harness): PushAccount {
  const client = openOffergridClient({ baseUrl, apiKey: "sandbox-provider-key" });
  return { name: "default", client, limitPerMinute: null, policy: "every" };
}

/** `ids`: of the order's items. */
export function addOrder(
  { sandbox }: Harness,
  ids: readonly string[],
  more: { readonly notes?: string } = {},
): void {
  sandbox.market.add({
    id: `order-${ids[0]}`,
    reseller: "team-reseller",
    customerInfo: { fullName: "Ada Winter", email: "ada@example.com", phone: "+1-555-010-0100" },
    serviceAddress: { street: "1 Main Street", city: null },
    ...more,
    items: ids.map((id) => ({
      id,
      account: "team-provider",
      offerId: "off-internet-1000",
      offerName: "Internet 1000 Mbps",
    })),
  });
}

/** Announced here, and brought to `status` also at the sandbox. */
export async function leadTo(
  engine: Harness,
  subject: string,
  status: "pending" | "accepted" | "scheduled",
): Promise<void> {
  const way = ["order.received", "order.accepted", "appointment.scheduled"] as const;
  const steps = { pending: 1, accepted: 2, scheduled: 3 }[status];
  await engine.send(...way.slice(0, steps).map((type) => orderEvent(type, { subject })));
  await engine.settled(subject, status);
}
