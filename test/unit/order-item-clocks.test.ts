/** What an order item tells the engine's clocks, and what it tells a reseller when one is late. */
import { describe, expect, test } from "vitest";
import { orderItemDefinition } from "../../machines/order-item/definition.ts";
import { STATUS_NAMES, type Status } from "../../machines/order-item/statuses.ts";
import type { MachineDefinition } from "../../src/core/definition.ts";
import { DEFAULT_POLICY } from "../../src/sla/default-policy.ts";
import { APPOINTMENT, machineEvent } from "../support/order-item-events.ts";
import { born, inStatus, lookAt, take, type Walked } from "../support/order-item-walk.ts";

const definition: MachineDefinition = orderItemDefinition();
const clockedOf = (item: Walked) => definition.clocked?.(lookAt(item));

/** 2031-03-10T20:00Z, an hour of the afternoon in Los Angeles. */
const DUE_AT = Date.parse(APPOINTMENT);

function noteOf(item: Walked, clock: string) {
  return definition.delayNote?.(lookAt(item), { clock, dueAt: DUE_AT });
}

function scheduledIn(zone: string | undefined): Walked {
  return take(inStatus("accepted"), machineEvent("appointment.scheduled", { data: { zone } }));
}

describe("an item's clocks go by", () => {
  test("what is known of it, and by nothing that is not", () => {
    expect(clockedOf(born({}, { offerCategory: undefined }))).toStrictEqual({});
    expect(clockedOf(born({}, { createdAt: "2026-03-02T09:00:00+01:00" }))).toStrictEqual({
      category: "internet",
      createdAt: Date.parse("2026-03-02T08:00:00Z"),
    });
  });

  test("its appointment and the zone of it", () => {
    expect(clockedOf(scheduledIn("America/Los_Angeles"))).toStrictEqual({
      category: "internet",
      zone: "America/Los_Angeles",
      appointmentAt: DUE_AT,
    });
    expect(clockedOf(scheduledIn(undefined))).not.toHaveProperty("zone");
  });

  test("whom it waits for, as long as it waits", () => {
    const waiting = take(inStatus("accepted"), machineEvent("wait.started"));
    expect(clockedOf(waiting)).toMatchObject({
      wait: { on: "customer", reason: "Asked for the apartment number." },
    });
    expect(clockedOf(take(waiting, machineEvent("wait.ended")))).not.toHaveProperty("wait");
  });
});

describe("a delay note", () => {
  test("repeats the status with what is late, by when it was promised, and what is next", () => {
    expect(noteOf(inStatus("accepted"), "contact")).toEqual({
      name: "pushStatus",
      params: {
        status: "accepted",
        providerNotes:
          "The customer was to be contacted by March 10, 2031, 8:00 PM UTC, and that is late; we will reach out next to agree on a date.",
        metadata: { workOrderId: "WO-1" },
      },
    });
  });

  test("of a scheduled item keeps its date and window, and speaks its zone", () => {
    expect(noteOf(scheduledIn("America/Los_Angeles"), "arrival")?.params).toMatchObject({
      status: "scheduled",
      providerNotes: expect.stringContaining("by March 10, 2031, 1:00 PM PDT"),
      scheduledFor: "2031-03-10T20:00:00Z",
      metadata: {
        workOrderId: "WO-1",
        appointmentWindow: "1-5 PM",
        zone: "America/Los_Angeles",
      },
    });
  });

  test("is sent in the statuses in which somebody waits, whatever the options say", () => {
    const options = { profile: "strict", noteUpdates: false } as const;
    const told = STATUS_NAMES.filter((status) => noteOf(inStatus(status, options), "respond"));
    const waiting: readonly Status[] = ["submitted_to_provider", "accepted", "scheduled"];
    expect(told).toEqual([...waiting, "in_progress", "failed"]);
  });

  test("fits the effect's schema for each clock that a reseller waits for, and is no other's", () => {
    const { params } = orderItemDefinition().effects.pushStatus;
    const clocks = Object.keys(DEFAULT_POLICY.clocks);
    const told = clocks.filter((clock) => noteOf(scheduledIn("Europe/Berlin"), clock));
    expect(told).toEqual(clocks.filter((clock) => clock !== "push-lag"));
    const notes = told.map((clock) => noteOf(scheduledIn("Europe/Berlin"), clock)?.params);
    expect(notes.map((note) => params.parse(note))).toEqual(notes);
    expect(noteOf(scheduledIn(undefined), "toString")).toBeUndefined();
  });
});
