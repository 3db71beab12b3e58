import { describe, expect, test } from "vitest";
import { eventSchemas } from "../../machines/order-item/events.ts";
import { checkEvent, packJobs } from "../../src/queue/producer.ts";
import { orderEvent } from "../support/order-item-events.ts";

const SCHEMAS = eventSchemas(8 * 1024);

describe("events packed into jobs", () => {
  const eventsOf = (subject: string, amount: number) =>
    Array.from({ length: amount }, (_, place) => ({ subject, place }));

  test("a job holds 100 at most, and the events of one item stay in one job", () => {
    const events = ["a", "b", "c"].flatMap((subject) => eventsOf(subject, 40));
    const jobs = packJobs([...events].sort((left, right) => left.place - right.place));
    expect(jobs.map((job) => job.length)).toEqual([80, 40]);
    expect(jobs.flat()).toEqual(events);
  });

  test("an item with more than a job holds is spread, in order", () => {
    const events = eventsOf("a", 250);
    const jobs = packJobs([...eventsOf("b", 1), ...events, ...eventsOf("c", 50)]);
    expect(jobs.map((job) => job.length)).toEqual([1, 100, 100, 100]);
    expect(jobs.flat().filter(({ subject }) => subject === "a")).toEqual(events);
  });

  test("no events make no jobs", () => {
    expect(packJobs([])).toEqual([]);
  });
});

describe("a producer's check", () => {
  test("gives a valid event back as it was written", () => {
    const event = orderEvent("order.accepted");
    expect(checkEvent(SCHEMAS, event, 0)).toEqual({ result: "event", event });
  });

  test.each([
    ["SCHEDULE_DATE_NAIVE", { ...datedFor("2031-03-11T13:00:00") }],
    ["REASON_MISSING", orderEvent("order.rejected", { data: { providerNotes: undefined } })],
    ["EVENT_TYPE_UNKNOWN", { ...orderEvent("order.noted"), type: "toString" }],
    ["EVENT_TYPE_RESERVED", { ...orderEvent("order.noted"), type: "xstate.done" }],
    ["EVENT_SUBJECT_MISSING", { ...orderEvent("order.noted"), subject: "" }],
    ["EVENT_INVALID", { ...orderEvent("order.noted"), time: "yesterday" }],
  ])("refuses with %s what the engine would refuse", (code, event) => {
    expect(checkEvent(SCHEMAS, event, 0)).toMatchObject({ result: "refused", problem: { code } });
  });

  function datedFor(scheduledFor: string) {
    return orderEvent("appointment.scheduled", { data: { scheduledFor } });
  }
});
