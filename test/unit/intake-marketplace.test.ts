/** The marketplace's webhooks as events, in both documented shapes. */
import { createHmac } from "node:crypto";
import { describe, expect, test } from "vitest";
import { eventSchemas } from "../../machines/order-item/events.ts";
import { addressed, readDelivery } from "../../src/intake/adapter.ts";
import { checkEvent } from "../../src/queue/producer.ts";
import { adapterOf, delivery, eventsOf } from "../support/webhook-delivery.ts";

const SECRET = "the marketplace's secret";
const SCHEMAS = eventSchemas(8 * 1024);
const adapter = adapterOf({
  kind: "offergrid",
  secrets: [SECRET],
  account: "acme",
  offers: { "offer-sim": { requiresInstallation: false } },
});
const translated = (body: object) => adapter.translate(delivery(body));

interface Envelope {
  readonly id: string;
  readonly event: string;
  readonly timestamp: string;
  readonly data: Readonly<Record<string, unknown>>;
}

const CREATED = {
  id: "evt_1",
  event: "order.created",
  timestamp: "2026-03-02T08:59:30Z",
  data: {
    orderId: "ORDER-1",
    itemId: "ITEM-1",
    offerId: "offer-sim",
    offerName: "SIM",
    resellerTeamId: "team-7",
    serviceAddress: { street: "1 Main St", city: "Reno", state: null, unit: 7 },
  },
};
const CANCELLED = {
  id: "evt_2",
  event: "order.cancelled",
  timestamp: "2026-03-02T08:59:40Z",
  data: { orderId: "ORDER-1", itemId: "ITEM-1", reason: "Moved away.", cancelledBy: "reseller" },
};
const flat = ({ id: _id, data, ...others }: Envelope) => ({ ...others, ...data });

describe("order.created", () => {
  test("is the birth of the item, and the machine takes it", () => {
    const { events } = eventsOf(translated(CREATED));
    expect(events).toEqual([
      {
        specversion: "1.0",
        // Not the delivery's: the marketplace's list shows the same order.
        id: "once:order.received:ITEM-1",
        source: "offergrid/acme",
        type: "order.received",
        subject: "ITEM-1",
        time: CREATED.timestamp,
        account: "acme",
        data: {
          orderId: "ORDER-1",
          offerId: "offer-sim",
          offerName: "SIM",
          requiresInstallation: false,
          account: "acme",
          createdAt: CREATED.timestamp,
          serviceAddress: { street: "1 Main St", city: "Reno" },
          metadata: { resellerTeamId: "team-7" },
        },
      },
    ]);
    expect(checkEvent(SCHEMAS, events[0], 0).result).toBe("event");
  });

  test("C5: in the flat shape it is the same; a cancellation has a digest of its bytes as its id", () => {
    expect(eventsOf(translated(flat(CREATED)))).toEqual(eventsOf(translated(CREATED)));
    const [first] = eventsOf(translated(flat(CANCELLED))).events;
    const [again] = eventsOf(translated(flat(CANCELLED))).events;
    expect(first?.id).toMatch(/^[0-9a-f]{64}$/);
    expect(again?.id).toBe(first?.id);
  });

  test("C3: without an item it is a dead letter, and with a doubtful moment it is not lost", () => {
    const nameless = { ...CREATED, data: { ...CREATED.data, itemId: undefined } };
    expect(eventsOf(translated(nameless)).malformed).toMatchObject([
      { problem: { code: "EVENT_SUBJECT_MISSING" } },
    ]);
    const naive = { ...CREATED, timestamp: "2026-03-02 08:59:30" };
    expect(eventsOf(translated(naive)).events).toHaveLength(1);
  });
});

describe("order.cancelled", () => {
  test("goes to the item that it names and to all others of the order", () => {
    const { events, orderWide } = eventsOf(translated(CANCELLED));
    expect(events).toMatchObject([
      {
        id: "evt_2",
        type: "order.cancelled",
        subject: "ITEM-1",
        data: { providerNotes: "Moved away.", cancelledBy: "reseller", origin: "marketplace" },
      },
    ]);
    expect(orderWide).toMatchObject([{ orderId: "ORDER-1", exceptItem: "ITEM-1" }]);
    const others = orderWide.flatMap((each) => addressed(each, ["ITEM-1", "ITEM-2", "ITEM-3"]));
    expect(others.map(({ subject }) => subject)).toEqual(["ITEM-2", "ITEM-3"]);
    for (const event of [...events, ...others]) {
      expect(checkEvent(SCHEMAS, event, 0).result).toBe("event");
    }
  });

  test("of an order alone goes to all of its items", () => {
    const { events, orderWide } = eventsOf(translated({ ...flat(CANCELLED), itemId: undefined }));
    expect(events).toEqual([]);
    expect(orderWide.flatMap((each) => addressed(each, ["ITEM-1"]))).toHaveLength(1);
  });

  test("without a reason it says so, and without any name it is a dead letter", () => {
    const [event] = eventsOf(translated({ ...flat(CANCELLED), reason: undefined })).events;
    expect(checkEvent(SCHEMAS, event, 0).result).toBe("event");
    expect(eventsOf(translated({ event: "order.cancelled" })).malformed).toHaveLength(1);
  });
});

test("events that change no order are ignored", () => {
  expect(translated({ id: "evt_3", event: "offer.ordered", data: {} })).toMatchObject({
    outcome: "ignored",
    ignored: [{ reason: "unmapped" }],
  });
});

test("C1: only what the marketplace has signed is read", () => {
  const body = JSON.stringify(CREATED);
  const timestamp = String(Date.parse("2026-03-02T09:00:00Z") / 1000);
  const signature = createHmac("sha256", SECRET).update(`${timestamp}.${body}`).digest("hex");
  const headers = { "x-offergrid-signature": signature, "x-offergrid-timestamp": timestamp };
  expect(readDelivery(adapter, delivery(body, headers)).outcome).toBe("events");
  expect(readDelivery(adapter, delivery(`${body} `, headers))).toEqual({
    outcome: "unauthentic",
    reason: "signature-mismatch",
  });
});
