import { describe, expect, test } from "vitest";
import { orderItemDefinition } from "../../machines/order-item/definition.ts";
import type { EventType } from "../../machines/order-item/events.ts";
import type { Status } from "../../machines/order-item/statuses.ts";
import type { MachineDefinition } from "../../src/core/definition.ts";
import type { JsonObject } from "../../src/core/event.ts";
import { APPOINTMENT, machineEvent, orderEvent } from "../support/order-item-events.ts";
import { inStatus, lookAt, take } from "../support/order-item-walk.ts";

const definition: MachineDefinition = orderItemDefinition({ metadataMaxBytes: 200 });
const EVENT_TYPES = Object.keys(definition.events) as EventType[];

/** Codes of the issues in order; an issue without a code is EVENT_DATA_INVALID to a producer. */
function codesOf(type: EventType, data: unknown): unknown[] {
  const { error } = definition.events[type]?.safeParse(data) ?? {};
  return (error?.issues ?? []).flatMap((issue) =>
    issue.code === "custom" ? [issue.params?.["code"]] : [],
  );
}

const withData = (type: EventType, data: JsonObject) => orderEvent(type, { data }).data;

describe("the data of an event", () => {
  test.each(EVENT_TYPES)("a valid %s passes, and an unknown field does not", (type) => {
    const { data } = orderEvent(type);
    const schema = definition.events[type];
    expect(schema?.safeParse(data).error).toBeUndefined();
    expect(schema?.safeParse({ ...data, surprise: 1 }).success).toBe(false);
  });

  const dated = ["appointment.scheduled", "appointment.rescheduled"] as const;

  test.each(dated)("%s without a date, or with one that names no offset, is named so", (type) => {
    expect(codesOf(type, withData(type, { scheduledFor: undefined }))[0]).toBe(
      "SCHEDULE_DATE_MISSING",
    );
    expect(codesOf(type, {})[0]).toBe("SCHEDULE_DATE_MISSING");
    for (const scheduledFor of ["2031-03-10T13:00:00", "2031-03-10"]) {
      expect(codesOf(type, withData(type, { scheduledFor }))).toEqual(["SCHEDULE_DATE_NAIVE"]);
    }
    const unreadable = withData(type, { scheduledFor: "next Tuesday" });
    expect(codesOf(type, unreadable)).toEqual([undefined]);
  });

  test("the marketplace's own sample is refused: its Tuesday is a Wednesday", () => {
    const sample = {
      providerNotes: "Installation scheduled for Tuesday, Jan 15 between 1-5 PM",
      scheduledFor: "2025-01-15T13:00:00Z",
      metadata: { technicianName: "Mike Johnson", technicianPhone: "+1-555-999-8888" },
    };
    expect(codesOf("appointment.scheduled", sample)[0]).toBe("SCHEDULE_WEEKDAY_MISMATCH");
  });

  test("a weekday is that of the date's own offset, or of the zone when one is given", () => {
    // 2031-03-11T02:00Z is still Monday the 10th in Los Angeles.
    const late = (scheduledFor: string, day: string, zone?: string) =>
      codesOf(
        "appointment.scheduled",
        withData("appointment.scheduled", { scheduledFor, zone, providerNotes: `On ${day}.` }),
      );
    expect(late("2031-03-10T19:00:00-07:00", "monday")).toEqual([]);
    expect(late("2031-03-11T02:00:00Z", "Monday")).toEqual(["SCHEDULE_WEEKDAY_MISMATCH"]);
    expect(late("2031-03-11T02:00:00Z", "Monday", "America/Los_Angeles")).toEqual([]);
    expect(late("2031-03-11T02:00:00Z", "Monday, no longer Tuesday")).toEqual([]);
    expect(late("2031-03-11T02:00:00Z", "Tuesday", "Mars/Olympus")).toEqual([undefined]);
  });

  test.each(["order.rejected", "work.failed", "order.cancelled"] as const)(
    "%s without a note, or with a blank one, lacks its reason",
    (type) => {
      for (const providerNotes of [undefined, "  "]) {
        expect(codesOf(type, withData(type, { providerNotes }))).toEqual(["REASON_MISSING"]);
      }
    },
  );

  test("a failure needs a reason code, in metadata or beside it", () => {
    const bare = withData("work.failed", { reasonCode: undefined });
    expect(codesOf("work.failed", bare)).toEqual(["REASON_MISSING"]);
    expect(codesOf("work.failed", { ...bare, metadata: { reasonCode: "access" } })).toEqual([]);
  });

  test("metadata is flat, small, and holds the window of an appointment", () => {
    const metadataCodes = (type: EventType, metadata: JsonObject[string]) =>
      codesOf(type, withData(type, { metadata }));
    expect(metadataCodes("work.started", { tags: ["a"], count: 1, done: true })).toEqual([]);
    for (const metadata of [{ nested: { a: 1 } }, { nothing: null }, ["a"], "a"]) {
      expect(metadataCodes("work.started", metadata)).toEqual(["METADATA_INVALID"]);
    }
    expect(metadataCodes("work.started", { long: "é".repeat(100) })).toEqual([
      "METADATA_TOO_LARGE",
    ]);
    expect(metadataCodes("appointment.scheduled", {})).toEqual(["METADATA_INVALID"]);
  });

  test("the reseller's metadata of an order may have any shape", () => {
    const born = withData("order.received", { metadata: { unit: { number: 4, floor: null } } });
    expect(codesOf("order.received", born)).toEqual([]);
  });
});

describe("what depends on the item", () => {
  interface Case {
    readonly status: Status;
    readonly birth?: JsonObject;
    readonly type: EventType;
    readonly data?: JsonObject;
  }

  /** The refusal's code, and that the bare machine agrees with it. */
  function refusalOf({ status, birth = {}, type, data = {} }: Case): string | undefined {
    const item = inStatus(status, {}, birth);
    const event = machineEvent(type, { data });
    const code = definition.refuse?.(event, lookAt(item))?.code;
    expect(code !== undefined && take(item, event).isTaken).toBe(false);
    return code;
  }

  test("an appointment lies after the time at which it was set", () => {
    const past = { scheduledFor: "2026-01-01T00:00:00Z" };
    const type = "appointment.scheduled";
    expect(refusalOf({ status: "accepted", type, data: past })).toBe("SCHEDULE_DATE_PAST");
    // A past date stays past, so an event that came too early is not kept waiting for nothing.
    expect(refusalOf({ status: "pending", type, data: past })).toBe("SCHEDULE_DATE_PAST");
    expect(refusalOf({ status: "scheduled", type: "appointment.rescheduled", data: past })).toBe(
      "SCHEDULE_DATE_PAST",
    );
    expect(
      refusalOf({ status: "accepted", type, data: { scheduledFor: APPOINTMENT } }),
    ).toBeUndefined();
  });

  test("an item that was given a part of the customer's information needs all of it", () => {
    const type = "order.accepted";
    const birth = { customerInfo: { fullName: "Ada Winter", email: " " } };
    expect(refusalOf({ status: "pending", birth, type })).toBe("CUSTOMER_INFO_MISSING");
    const customerInfo = { email: "ada@example.com", phone: "+1-555-010-0100" };
    expect(refusalOf({ status: "pending", birth, type, data: { customerInfo } })).toBeUndefined();
  });

  test("an item that was given no customer information at all is accepted", () => {
    const birth = { customerInfo: undefined, serviceAddress: undefined };
    const type = "order.accepted";
    expect(refusalOf({ status: "pending", birth, type })).toBeUndefined();
    expect(inStatus("accepted", {}, birth).status).toBe("accepted");
    const customerInfo = { phone: "+1-555-010-0100" };
    expect(refusalOf({ status: "pending", birth, type, data: { customerInfo } })).toBe(
      "CUSTOMER_INFO_MISSING",
    );
  });

  test("a finished service has a reference, its own or an earlier one", () => {
    const data = { metadata: {} };
    for (const type of ["work.completed", "service.activated"] as const) {
      expect(refusalOf({ status: "in_progress", type, data })).toBe("METADATA_INVALID");
    }
    const type = "service.activated";
    expect(refusalOf({ status: "completed", type, data })).toBeUndefined();
    // The completion that brings the reference may still be on its way.
    expect(refusalOf({ status: "scheduled", type, data })).toBeUndefined();
  });
});
