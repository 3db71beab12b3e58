import fc from "fast-check";
import { getShortestPaths } from "xstate/graph";
import { describe, expect, test } from "vitest";
import { contextSchema, type OrderItemEvent } from "../../machines/order-item/context.ts";
import { orderItemDefinition } from "../../machines/order-item/definition.ts";
import { type EventType, eventSchemas } from "../../machines/order-item/events.ts";
import { orderItemMachine } from "../../machines/order-item/machine.ts";
import { legalPairs, type PairFlags } from "../../machines/order-item/pairs.ts";
import {
  STATUS_NAMES,
  STATUSES,
  type Status,
  statusOf,
} from "../../machines/order-item/statuses.ts";
import { definitions } from "../../machines/registry.ts";
import type { MachineDefinition } from "../../src/core/definition.ts";
import { machineEvent } from "../support/order-item-events.ts";
import { born, inStatus, take, takeAll } from "../support/order-item-walk.ts";

const EVENT_TYPES = Object.keys(eventSchemas(1024)) as EventType[];
const WITHDRAWN = { data: { origin: "reseller", approvedBy: "ops@example.com" } };

/** Every status step that some reported event makes, "from > to by event", found by trying all. */
function stepsFound(profile: "strict" | "extended", flags: PairFlags): string[] {
  return STATUS_NAMES.flatMap((from) => {
    const item = inStatus(from, { profile, ...flags }, { requiresInstallation: false });
    expect(item.status).toBe(from);
    return EVENT_TYPES.flatMap((type) => {
      const overrides = type === "order.cancelled" ? WITHDRAWN : {};
      const next = take(item, machineEvent(type, overrides));
      const isStep = next.status !== from || type === "appointment.rescheduled";
      return next.isTaken && isStep ? [`${from} > ${next.status} by ${type}`] : [];
    });
  }).toSorted();
}

describe("of the 100 pairs of statuses", () => {
  const both = { failFromAccepted: true, rescheduleFromWork: true };

  test.each([
    { profile: "strict", flags: both, count: 15 },
    { profile: "extended", flags: {}, count: 22 },
    { profile: "extended", flags: both, count: 24 },
  ] as const)("the $profile profile takes $count and no other", ({ profile, flags, count }) => {
    const pairs = legalPairs(profile, flags);
    expect(new Set(pairs.map(({ from, to }) => `${from} > ${to}`)).size).toBe(count);
    const expected = pairs.map(({ from, to, event }) => `${from} > ${to} by ${event}`);
    expect(stepsFound(profile, flags)).toEqual(expected.toSorted());
  });

  test("a completion style takes the other way to finish away", () => {
    const twoStep = inStatus("in_progress", { completionStyle: "two-step" });
    expect(take(twoStep, machineEvent("service.activated")).isTaken).toBe(false);
    expect(take(twoStep, machineEvent("work.completed")).status).toBe("completed");
    const direct = inStatus("in_progress", { completionStyle: "direct-active" });
    expect(take(direct, machineEvent("work.completed")).isTaken).toBe(false);
    expect(take(direct, machineEvent("service.activated")).status).toBe("active");
  });

  test("an offer with installation never skips its appointment", () => {
    const accepted = inStatus("accepted");
    expect(take(accepted, machineEvent("work.started")).isTaken).toBe(false);
    expect(take(accepted, machineEvent("service.activated")).isTaken).toBe(false);
  });

  test("only the reseller or the marketplace withdraws an order before acceptance", () => {
    const pending = inStatus("pending");
    expect(take(pending, machineEvent("order.cancelled")).isTaken).toBe(false);
    const withdrawn = take(pending, machineEvent("order.cancelled", WITHDRAWN));
    expect(withdrawn).toMatchObject({ status: "cancelled", pushes: [] });
  });
});

describe("a workflow of the marketplace passes as it is written", () => {
  /** Each event's data goes through its schema first, as the engine has it do. */
  function pushesOf(steps: readonly (readonly [EventType, Record<string, unknown>])[], birth = {}) {
    const definition: MachineDefinition = orderItemDefinition();
    let item = born({}, birth);
    return steps.flatMap(([type, given]) => {
      const data = definition.events[type]?.parse(given) as OrderItemEvent["data"];
      const event = { ...machineEvent(type, { time: "2025-01-01T00:00:00Z" }), data };
      expect(definition.refuse?.(event, item.snapshot)).toBeUndefined();
      item = take(item, event);
      expect(item.isTaken).toBe(true);
      return item.pushes;
    });
  }

  const accepted = {
    providerNotes:
      "Order accepted. Customer will be contacted within 24 hours to schedule installation.",
  };

  test("standard installation", () => {
    const scheduled = {
      providerNotes: "Installation scheduled for Jan 15, 1-5 PM",
      scheduledFor: "2025-01-15T13:00:00Z",
      metadata: { appointmentWindow: "1-5 PM", technicianName: "Mike Johnson" },
    };
    const started = { providerNotes: "Technician on-site, installation in progress" };
    const active = {
      providerNotes: "Service activated successfully. Customer account #12345",
      metadata: { accountNumber: "12345", activationDate: "2025-01-15" },
    };
    const pushes = pushesOf([
      ["order.accepted", accepted],
      ["appointment.scheduled", scheduled],
      ["work.started", started],
      ["service.activated", active],
    ]);
    expect(pushes).toEqual([
      { status: "accepted", ...accepted },
      { status: "scheduled", ...scheduled },
      { status: "in_progress", ...started },
      { status: "active", ...active },
    ]);
  });

  test("instant activation", () => {
    const active = {
      providerNotes: "Policy activated immediately. Policy #POL-98765",
      metadata: { policyNumber: "POL-98765", effectiveDate: "2025-01-02" },
    };
    const steps = [["order.accepted", accepted] as const, ["service.activated", active] as const];
    expect(pushesOf(steps, { requiresInstallation: false })).toEqual([
      { status: "accepted", ...accepted },
      { status: "active", ...active },
    ]);
  });

  test("rejection", () => {
    const rejected = {
      providerNotes:
        "Service not available at this address. Building does not have fiber infrastructure.",
    };
    expect(pushesOf([["order.rejected", rejected]])).toEqual([{ status: "rejected", ...rejected }]);
  });

  test("cancellation after acceptance", () => {
    const cancelled = {
      providerNotes: "Customer requested cancellation before installation. No fees charged.",
    };
    const pushes = pushesOf([
      ["order.accepted", accepted],
      ["order.cancelled", cancelled],
    ]);
    expect(pushes[1]).toEqual({
      status: "cancelled",
      ...cancelled,
      metadata: { cancelledBy: "provider" },
    });
  });
});

describe("what is pushed", () => {
  test("references once known are repeated on every later push", () => {
    const item = inStatus("in_progress");
    expect(item.pushes).toEqual([
      {
        status: "in_progress",
        providerNotes: "Technician on site.",
        metadata: { workOrderId: "WO-1" },
      },
    ]);
    const completed = take(item, machineEvent("work.completed"));
    const active = take(completed, machineEvent("service.activated", { data: { metadata: {} } }));
    expect(active.pushes).toMatchObject([
      { status: "active", metadata: { workOrderId: "WO-1", orderRef: "REF-1" } },
    ]);
  });

  test("a date is pushed in UTC, and a new date is pushed again", () => {
    const item = take(
      inStatus("scheduled"),
      machineEvent("appointment.rescheduled", { data: { zone: "America/Phoenix" } }),
    );
    expect(item.pushes).toMatchObject([
      {
        status: "scheduled",
        scheduledFor: "2031-03-11T16:00:00Z",
        metadata: { appointmentWindow: "9 AM-noon", zone: "America/Phoenix" },
      },
    ]);
  });

  test("a reason code, alternatives and the canceller go into the metadata", () => {
    const rejected = take(inStatus("pending"), machineEvent("order.rejected"));
    expect(rejected.pushes).toMatchObject([
      { metadata: { reasonCode: "area", alternatives: ["Cable 200"] } },
    ]);
    const cancelled = take(
      inStatus("scheduled"),
      machineEvent("order.cancelled", { data: { origin: "reseller" } }),
    );
    expect(cancelled.pushes).toMatchObject([
      { metadata: { cancelledBy: "reseller", reasonCode: "commercial" } },
    ]);
  });

  test("nothing is pushed at birth, nor what the marketplace reported itself", () => {
    expect(born().pushes).toEqual([]);
    expect(born({}, { status: "submitted_to_provider" })).toMatchObject({
      status: "submitted_to_provider",
      pushes: [],
    });
    const submitted = machineEvent("order.submitted", { data: { origin: "marketplace" } });
    expect(take(born(), submitted)).toMatchObject({ status: "submitted_to_provider", pushes: [] });
  });

  test("a note is remembered, and pushed with the unchanged status when the option is on", () => {
    const kept = take(inStatus("accepted"), machineEvent("order.noted"));
    expect(kept).toMatchObject({ status: "accepted", pushes: [] });
    expect(kept.snapshot.context.note).toMatch(/^Permit requested/u);
    const told = take(inStatus("accepted", { noteUpdates: true }), machineEvent("order.noted"));
    expect(told.pushes).toMatchObject([
      { status: "accepted", providerNotes: kept.snapshot.context.note },
    ]);
  });

  test("every push and task satisfies its declared schema", () => {
    const { effects } = orderItemDefinition();
    for (const status of STATUS_NAMES) {
      const { pushes } = inStatus(status);
      for (const push of pushes) expect(effects.pushStatus.params.parse(push)).toEqual(push);
    }
    const { tasks } = take(inStatus("in_progress"), machineEvent("order.cancelled"));
    expect(tasks.map((task) => effects.askOperator.params.parse(task))).toEqual(tasks);
    expect(tasks).toHaveLength(1);
    expect(effects.pushStatus.isUrgent({ status: "rejected" })).toBe(true);
    expect(effects.pushStatus.isUrgent({ status: "accepted" })).toBe(false);
  });
});

describe("the definition", () => {
  test("satisfies the engine's contract", () => {
    const all: readonly MachineDefinition[] = definitions();
    expect(all.map(({ id, birth, version }) => ({ id, birth, version }))).toEqual([
      { id: "order-item", birth: "order.received", version: "2.1.0" },
      { id: "order-item", birth: "order.received", version: "2.0.0" },
    ]);
    const { context } = born({}, { account: "north" }).snapshot;
    expect(all[0]?.attributes(context)).toEqual({ account: "north", order: "order-1" });
  });

  test("an actor keeps the options it was born with", () => {
    const options = {
      completionStyle: "two-step",
      pointOfNoReturn: { internet: "never" },
    } as const;
    expect(born(options).snapshot.context.options).toMatchObject({
      completionStyle: "two-step",
      pointOfNoReturn: "never",
    });
  });

  test("all faults of bad options are named", () => {
    expect(() =>
      orderItemDefinition({ metadataMaxBytes: -1, lint: { promptness: "error" as never } }),
    ).toThrow(/promptness[^]*metadataMaxBytes/u);
  });

  test("every status is reachable, and shows its words, tags and a context that survives JSON", () => {
    const birth = machineEvent("order.received", { data: { requiresInstallation: false } });
    const events = EVENT_TYPES.map((type) =>
      machineEvent(type, type === "order.cancelled" ? WITHDRAWN : {}),
    ) as OrderItemEvent[];
    const paths = getShortestPaths(orderItemMachine, {
      input: orderItemDefinition().input(birth) as never,
      events,
      serializeState: ({ value }) => JSON.stringify(value),
      filterEvents: (snapshot, event) => snapshot.status === "active" && snapshot.can(event),
    });
    const seen = new Set<Status>();
    for (const { state } of paths) {
      const status = statusOf(state.value);
      seen.add(status);
      const { tags, ...words } = STATUSES[status];
      expect(state.getMeta()[status as never]).toEqual({ status, ...words });
      expect([...state.tags].toSorted()).toEqual(tags.toSorted());
      expect(state.context.status).toBe(status);
      expect(JSON.parse(JSON.stringify(state.context))).toStrictEqual(state.context);
      expect(contextSchema.parse(state.context)).toStrictEqual(state.context);
      expect(state.output).toEqual(state.status === "done" ? { status } : undefined);
    }
    expect([...seen].toSorted()).toEqual(STATUS_NAMES.toSorted());
  });

  test("whatever happens, a finished item stays as it is and the status word stays true", () => {
    const anyEvents = fc.array(fc.constantFrom(...EVENT_TYPES), { maxLength: 12 });
    fc.assert(
      fc.property(anyEvents, fc.boolean(), (types, requiresInstallation) => {
        const item = takeAll(
          born({}, { requiresInstallation }),
          types.map((type) => machineEvent(type)),
        );
        expect(item.snapshot.context.status).toBe(item.status);
        if (item.snapshot.status !== "done") return;
        for (const type of EVENT_TYPES) expect(take(item, machineEvent(type)).isTaken).toBe(false);
      }),
      { numRuns: 100 },
    );
  });
});
