/** HubSpot's changes as events: identity, rules, loops. */
import { describe, expect, test } from "vitest";
import { adapterOf, delivery, eventsOf } from "../support/webhook-delivery.ts";

const adapter = adapterOf({
  kind: "hubspot",
  clientSecrets: ["yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy"],
  targetUrl: "https://www.example.com/webhook_uri",
  account: "acme",
  ownChanges: [{ sourceId: "25681700" }],
  events: [
    {
      on: { objectTypeId: ["0-3", "2-77"], propertyName: "accepted_item" },
      subject: "{propertyValue}",
      type: "order.accepted",
      data: {
        providerNotes: { value: "We will call within 24 hours to set a date." },
        "metadata.workOrderId": { text: "deal-{objectId}" },
      },
    },
    {
      on: { subscriptionType: "deal.propertyChange", propertyValue: ["started", "on_site"] },
      type: "work.started",
    },
  ],
});

/** As the newer apps get it. */
const CHANGE = {
  eventId: 1_765_889_350,
  subscriptionId: 7_662_269,
  portalId: 247_279_312,
  appId: 25_681_700,
  occurredAt: 1_788_597_072_520,
  subscriptionType: "object.propertyChange",
  attemptNumber: 0,
  objectId: 546_500_061_938,
  objectTypeId: "0-3",
  propertyName: "accepted_item",
  propertyValue: "ITEM-1",
  changeSource: "CRM_UI",
  sourceId: "userId:98499705",
};
/** As an older app gets it. */
const LEGACY = {
  ...CHANGE,
  subscriptionType: "deal.propertyChange",
  objectTypeId: undefined,
  propertyName: "dealstage",
  propertyValue: "on_site",
};

const translated = (...changes: readonly unknown[]) => adapter.translate(delivery(changes));

describe("a change that a rule fits", () => {
  test("is an event of the item that it names, at the moment that it happened", () => {
    expect(eventsOf(translated(CHANGE)).events).toEqual([
      {
        specversion: "1.0",
        id: expect.stringMatching(/^[0-9a-f]{64}$/),
        source: "hubspot/247279312",
        type: "order.accepted",
        subject: "ITEM-1",
        time: "2026-09-05T08:31:12.520Z",
        account: "acme",
        data: {
          providerNotes: "We will call within 24 hours to set a date.",
          metadata: { workOrderId: "deal-546500061938" },
        },
      },
    ]);
  });

  test("of an older app is told by its subscription, and by default names the object", () => {
    expect(eventsOf(translated(LEGACY)).events).toMatchObject([
      { type: "work.started", subject: "546500061938", data: {} },
    ]);
  });
});

describe("C5: identity", () => {
  const idOf = (change: object) => eventsOf(translated({ ...CHANGE, ...change })).events[0]?.id;

  test("is the same for every attempt", () => {
    expect(idOf({ attemptNumber: 9 })).toBe(idOf({}));
  });

  test("is another one for another fact under the same eventId", () => {
    const changes = [
      {},
      { portalId: 1 },
      { subscriptionId: 1 },
      { eventId: 1 },
      { objectId: 1 },
      { propertyValue: "ITEM-2" },
      { occurredAt: 1_788_597_072_521 },
    ];
    expect(new Set(changes.map(idOf)).size).toBe(changes.length);
  });
});

test("C12: what our own app has written is dropped, and what others wrote is not", () => {
  const own = { ...CHANGE, changeSource: "INTEGRATION", sourceId: "25681700" };
  expect(translated(own)).toMatchObject({ outcome: "ignored", ignored: [{ reason: "loop" }] });
  const another = { ...own, sourceId: "111" };
  expect(eventsOf(translated(own, another)).events).toHaveLength(1);
});

test("what no rule fits, and a property that was cleared, is ignored", () => {
  const cleared = { ...CHANGE, propertyValue: "" };
  const ignored = translated({ ...CHANGE, propertyName: "amount" }, cleared);
  expect(ignored).toMatchObject({
    outcome: "ignored",
    ignored: [
      { reason: "unmapped" },
      { reason: "unmapped", detail: expect.stringMatching(/no item/) },
    ],
  });
});

describe("C4: a batch", () => {
  test("of 100 is 100 events, whatever one of them is", () => {
    const changes = Array.from({ length: 98 }, (_, eventId) => ({ ...CHANGE, eventId }));
    const { events, malformed } = eventsOf(
      translated(...changes, null, { ...CHANGE, propertyValue: "ITEM{1}" }),
    );
    expect(events).toHaveLength(98);
    expect(malformed.map(({ problem }) => problem.code)).toEqual([
      "EVENT_INVALID",
      "EVENT_INVALID",
    ]);
  });

  test("C3: of more than 100, and a body that is no list, are dead letters", () => {
    const code = "EVENT_BATCH_TOO_LARGE";
    expect(translated(...Array(101).fill(CHANGE))).toMatchObject({ problem: { code } });
    expect(adapter.translate(delivery(CHANGE))).toMatchObject({ outcome: "malformed" });
  });
});

test("a change without a moment is an event without a time", () => {
  for (const occurredAt of [undefined, null, "2026-01-01", 9e15]) {
    expect(eventsOf(translated({ ...CHANGE, occurredAt })).events[0]).not.toHaveProperty("time");
  }
});

test("C5: nothing is made of the number of the attempt, in events and in dead letters", () => {
  const [first, again] = [0, 9].map((attemptNumber) =>
    translated({ ...CHANGE, attemptNumber }, { ...CHANGE, propertyValue: "{", attemptNumber }),
  );
  expect(again).toEqual(first);
  const tooMany = (attemptNumber: number) =>
    translated(...Array(101).fill({ ...CHANGE, attemptNumber }));
  expect(tooMany(1)).toEqual(tooMany(0));
});
