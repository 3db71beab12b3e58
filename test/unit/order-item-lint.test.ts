/** Advice on status updates: which updates are found wanting, where it is shown, and what it stops. */
import { describe, expect, test } from "vitest";
import { orderItemDefinition } from "../../machines/order-item/definition.ts";
import type { EventType } from "../../machines/order-item/events.ts";
import type { FindingName } from "../../machines/order-item/findings.ts";
import type { OrderItemOptions } from "../../machines/order-item/options.ts";
import type { Status } from "../../machines/order-item/statuses.ts";
import type { MachineDefinition } from "../../src/core/definition.ts";
import type { JsonObject } from "../../src/core/event.ts";
import { startTestEngine } from "../../src/testing/test-engine.ts";
import { machineEvent } from "../support/order-item-events.ts";
import { born, inStatus, lookAt, take, takeAll, type Walked } from "../support/order-item-walk.ts";

const definition: MachineDefinition = orderItemDefinition();

function found({ snapshot }: Walked): FindingName[] {
  return snapshot.context.warnings.map(({ name }) => name);
}

/** An update that nothing can be said against, and the status that it meets. */
const GOOD: Readonly<Partial<Record<EventType, readonly [Status, JsonObject]>>> = {
  "order.submitted": [
    "pending",
    {
      providerNotes: "Order received. You will have our answer within 4 hours.",
      metadata: { orderRef: "REF-1" },
    },
  ],
  "order.accepted": ["pending", { providerNotes: "Order accepted. We call within 24 hours." }],
  "order.rejected": [
    "pending",
    {
      providerNotes: "No fiber at this address. Cable internet is available as an alternative.",
      reasonCode: "area",
      alternatives: undefined,
    },
  ],
  "appointment.scheduled": ["accepted", {}],
  "work.started": ["scheduled", { providerNotes: "Technician on-site, installation in progress" }],
  "work.completed": [
    "in_progress",
    {
      providerNotes: "Installed and tested, speed is 500 Mbit/s.",
      metadata: { orderRef: "REF-1", completedDate: "2031-03-10" },
    },
  ],
  "work.failed": ["in_progress", {}],
  "order.cancelled": ["accepted", {}],
  "order.noted": ["accepted", {}],
};

const GOOD_TYPES = Object.keys(GOOD) as EventType[];

/** The good update with something laid over it. */
function updated(type: EventType, over: JsonObject = {}): Walked {
  const [status, data] = GOOD[type] ?? ["pending", {}];
  return take(inStatus(status), machineEvent(type, { data: { ...data, ...over } }));
}

describe("an update", () => {
  test.each(GOOD_TYPES)("%s that follows the advice is found in order", (type) => {
    const item = updated(type);
    expect(item.isTaken).toBe(true);
    expect(found(item)).toEqual([]);
    expect(item.lint).toEqual([]);
  });

  const window = (appointmentWindow: string) => ({
    metadata: { appointmentWindow, technicianName: "Mike Johnson" },
  });
  const named = (metadata: JsonObject) => ({ metadata: { workOrderId: "WO-1", ...metadata } });

  test.each<readonly [FindingName, EventType, JsonObject]>([
    ["notes.missing", "work.started", { providerNotes: undefined }],
    ["notes.short", "work.started", { providerNotes: "On site." }],
    ["notes.empty", "order.accepted", { providerNotes: "Order accepted." }],
    ["notes.empty", "order.rejected", { providerNotes: "Cannot fulfill order.", alternatives: [] }],
    ["notes.next", "order.accepted", { providerNotes: "The order was accepted without remarks." }],
    ["failures.short", "work.failed", { providerNotes: "Nobody was home, call again." }],
    ["failures.reasonCode", "order.rejected", { reasonCode: undefined }],
    [
      "failures.alternatives",
      "order.rejected",
      { providerNotes: "Service is not available at this address, for lack of fiber." },
    ],
    ["schedule.window", "appointment.scheduled", window("in the afternoon")],
    ["schedule.window", "appointment.scheduled", window("9-11")],
    ["schedule.outside", "appointment.scheduled", window("9 AM-noon")],
    [
      "schedule.outside",
      "appointment.scheduled",
      { scheduledFor: "2031-03-10T13:00:00Z", zone: "America/Los_Angeles" },
    ],
    ["fields.technician", "appointment.scheduled", { metadata: { appointmentWindow: "1-5 PM" } }],
    ["fields.reference", "order.submitted", { metadata: {} }],
    ["fields.date", "work.completed", { metadata: { orderRef: "REF-1" } }],
    ["metadata.key", "order.noted", named({ technician_name: "Mike" })],
    ["metadata.value", "order.noted", named({ visits: 2 })],
    ["metadata.personal", "order.noted", named({ contact: "ADA@example.com" })],
    ["metadata.personal", "order.noted", named({ callback: "1 (555) 010-0100" })],
    ["metadata.personal", "order.noted", named({ site: "Home of Ada Winter" })],
    ["promise.long", "order.accepted", { providerNotes: "We will call within 2 business days." }],
    ["promise.long", "order.accepted", { providerNotes: "You hear from us within 24-48 hours." }],
  ])("has %s when %s says %j", (name, type, over) => {
    expect(found(updated(type, over))).toEqual([name]);
  });

  test.each<readonly [string, EventType, JsonObject]>([
    [
      "a window that is local in the zone",
      "appointment.scheduled",
      {
        scheduledFor: "2031-03-10T20:00:00Z",
        zone: "America/Los_Angeles",
      },
    ],
    [
      "a date in UTC, which tells no local time",
      "appointment.scheduled",
      {
        scheduledFor: "2031-03-10T20:00:00Z",
      },
    ],
    ["a window of 24 hours", "appointment.scheduled", window("13:00 – 17:00")],
    ["a window that spans noon", "appointment.scheduled", window("between 9 and 1 p.m.")],
    [
      "alternatives that are none",
      "order.rejected",
      {
        providerNotes: "Credit check failed, and nothing can be done about it.",
        alternatives: [],
      },
    ],
    [
      "an installation that takes days",
      "order.accepted",
      {
        providerNotes: "Accepted. The line is built within 5 days. We call today.",
      },
    ],
    [
      "a note in another language",
      "order.accepted",
      {
        providerNotes: "Pedido aceptado, gracias por su confianza.",
      },
    ],
  ])("may have %s", (_what, type, over) => {
    expect(found(updated(type, over))).toEqual([]);
  });

  test("repeats no note, and has a number by which it is found again", () => {
    const bare = take(born(), machineEvent("order.accepted", { data: { metadata: {} } }));
    const { note } = bare.snapshot.context;
    expect(
      found(take(bare, machineEvent("order.noted", { data: { providerNotes: note } }))),
    ).toEqual(["notes.repeated"]);
    expect(found(take(bare, machineEvent("appointment.scheduled")))).toEqual([
      "references.missing",
    ]);
  });

  test.each([
    [4, []],
    [5, ["promptness.hours", "response.goal"]],
    [25, ["promptness.days", "response.limit"]],
  ] as const)("told and decided after %i hours has %j", (hours, names) => {
    const createdAt = "2026-03-02T09:00:00Z";
    const afterMs = hours * 3_600_000;
    const time = new Date(Date.parse(createdAt) + afterMs).toISOString();
    const event = machineEvent("order.accepted", { time, at: Date.parse(time) + afterMs });
    expect(found(take(born({}, { createdAt }), event))).toEqual(names);
  });
});

/** The marketplace's own examples, as they stand in its documentation. */
describe("the marketplace's sample", () => {
  const scheduled = {
    providerNotes: "Installation scheduled for Jan 15, 1-5 PM",
    scheduledFor: "2025-01-15T13:00:00Z",
    metadata: { appointmentWindow: "1-5 PM", technicianName: "Mike Johnson" },
  };

  interface Sample {
    readonly type: EventType;
    readonly status: Status;
    readonly data: JsonObject;
    readonly names?: readonly FindingName[];
  }

  test.each<Sample>([
    {
      type: "order.accepted",
      status: "pending",
      data: {
        providerNotes:
          "Order accepted. Customer will be contacted within 24 hours to schedule installation.",
      },
    },
    // "Add account numbers, work order IDs, or tracking numbers": the sample has none.
    {
      type: "appointment.scheduled",
      status: "accepted",
      data: scheduled,
      names: ["references.missing"],
    },
    {
      type: "work.started",
      status: "scheduled",
      data: { providerNotes: "Technician on-site, installation in progress" },
    },
    {
      type: "service.activated",
      status: "in_progress",
      data: {
        providerNotes: "Service activated successfully. Customer account #12345",
        metadata: { accountNumber: "12345", activationDate: "2025-01-15" },
      },
    },
    {
      type: "service.activated",
      status: "accepted",
      data: {
        providerNotes: "Policy activated immediately. Policy #POL-98765",
        metadata: { policyNumber: "POL-98765", effectiveDate: "2025-01-02" },
      },
    },
    // "Structure metadata consistently so resellers can use it": its reason is in words alone.
    {
      type: "order.rejected",
      status: "pending",
      data: {
        providerNotes:
          "Service not available at this address. Building does not have fiber infrastructure. Cable internet available as alternative.",
      },
      names: ["failures.reasonCode"],
    },
    {
      type: "order.cancelled",
      status: "accepted",
      data: {
        providerNotes: "Customer requested cancellation before installation. No fees charged.",
      },
    },
  ])("of $type when $status has $names", ({ type, status, data, names = [] }) => {
    const { snapshot } = inStatus(status, {}, { requiresInstallation: status !== "accepted" });
    // As if nothing had been known before: the samples stand for themselves.
    const context = { ...snapshot.context, references: {} };
    const item = { ...inStatus(status), snapshot: { ...snapshot, context } as typeof snapshot };
    const next = take(item, { ...machineEvent(type, { time: "2025-01-02T00:00:00Z" }), data });
    expect(next.isTaken).toBe(true);
    expect(found(next)).toEqual(names);
  });
});

describe("what was found", () => {
  const short = () => machineEvent("work.started", { data: { providerNotes: "On site." } });

  test("travels with the item until its next update, and is shown in words", () => {
    const item = take(inStatus("scheduled"), short());
    const warnings = [{ rule: "notes", message: expect.stringContaining("20 characters") }];
    expect(definition.warnings?.(lookAt(item))).toEqual(warnings);
    expect(item.lint).toMatchObject([{ type: "lint", rule: "notes" }]);
    const next = take(item, machineEvent("work.failed"));
    expect(definition.warnings?.(lookAt(next))).toEqual([]);
  });

  test("names what it is about", () => {
    const item = updated("appointment.scheduled", {
      metadata: { appointmentWindow: "$& later", technicianId: "T-1" },
    });
    expect(definition.warnings?.(lookAt(item))[0]?.message).toContain('"$& later"');
  });

  test("is never about what nobody wrote: derived steps, and what the marketplace says", () => {
    const observed = machineEvent("work.started", {
      derived: true,
      data: { providerNotes: "Hm." },
    });
    expect(found(take(inStatus("scheduled"), observed))).toEqual([]);
    const data = { origin: "marketplace", providerNotes: "Gone." };
    expect(found(take(inStatus("accepted"), machineEvent("order.cancelled", { data })))).toEqual(
      [],
    );
    const later = take(take(inStatus("scheduled"), short()), {
      ...machineEvent("work.failed"),
      derived: true,
    });
    expect(found(later)).toEqual([]);
  });

  test("is in the journal beside its decision", async () => {
    const engine = await startTestEngine({ machines: [orderItemDefinition()] });
    const types = ["order.received", "order.accepted", "appointment.scheduled"] as const;
    for (const type of types) {
      const { data } = machineEvent(type);
      await engine.send({ type, subject: "item-1", data });
    }
    const { data } = short();
    await engine.send({ type: "work.started", subject: "item-1", data });
    const item = await engine.item("item-1");
    const moved = item?.journal.find((entry) => "change" in entry && entry.revision === 4);
    expect(moved).toMatchObject({
      change: { notes: [{ emitted: { type: "lint", rule: "notes" } }] },
    });
    await engine.assertReplays("item-1");
  });
});

describe("the level of a rule", () => {
  const answer = (options: Partial<OrderItemOptions>, event: ReturnType<typeof machineEvent>) => {
    const item = inStatus("accepted", options);
    const refusal = definition.refuse?.(event, lookAt(item));
    const next = take(item, event);
    // What is refused with a reason is refused by the bare machine as well.
    expect(next.isTaken).toBe(refusal === undefined);
    return { refusal, names: found(next) };
  };
  const mute = () => machineEvent("order.noted", { data: { providerNotes: "Hm." } });
  const late = () =>
    machineEvent("appointment.scheduled", {
      data: { metadata: { appointmentWindow: "9 AM-noon", technicianId: "T-1" } },
    });

  test('"off" finds nothing', () => {
    expect(answer({ lint: { notes: "off" } }, mute())).toEqual({ refusal: undefined, names: [] });
  });

  test('"error" refuses the event and says what to write', () => {
    expect(answer({ lint: { schedule: "error" } }, late()).refusal).toMatchObject({
      code: "LINT_REFUSED",
      message: expect.stringContaining("schedule: scheduledFor is 13:00 local time"),
    });
    const cancelled = machineEvent("order.cancelled", { data: { providerNotes: "Gone." } });
    for (const event of [mute(), cancelled]) {
      expect(answer({ lint: { notes: "error" } }, event).refusal?.code).toBe("LINT_REFUSED");
    }
  });

  test('"error" leaves a mere request and what the marketplace says alone', () => {
    const lint = { notes: "error" } as const;
    const working = takeAll(inStatus("accepted", { lint }), [
      machineEvent("appointment.scheduled"),
      machineEvent("work.started", { data: { providerNotes: "Technician on site until noon." } }),
    ]);
    for (const origin of [undefined, "marketplace"]) {
      const event = machineEvent("order.cancelled", { data: { providerNotes: "Gone.", origin } });
      expect(definition.refuse?.(event, lookAt(working))).toBeUndefined();
      expect(take(working, event).isTaken).toBe(true);
    }
  });

  test("is kept by each item, and only where it is not the usual one", () => {
    const { context } = born({ lint: { notes: "error", fields: "warn" } }).snapshot;
    expect(context.options).toEqual({ lint: { notes: "error" } });
    expect(born({ lint: { fields: "warn" } }).snapshot.context.options).toEqual({});
  });
});
