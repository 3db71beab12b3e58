import { describe, expect, test } from "vitest";
import type { Status } from "../../machines/order-item/statuses.ts";
import { machineEvent } from "../support/order-item-events.ts";
import { inStatus, take, takeAll, type Walked } from "../support/order-item-walk.ts";

const regionsOf = ({ snapshot: { value } }: Walked) =>
  typeof value === "object" ? value.open : undefined;
const approved = () => machineEvent("order.cancelled", { data: { approvedBy: "ops@example.com" } });

describe("a cancellation past the point of no return", () => {
  const item = inStatus("in_progress");
  const requested = take(
    item,
    machineEvent("order.cancelled", { data: { cancelledBy: "reseller" } }),
  );

  test("waits for a decision, remembers who asked and why, and tells an operator", () => {
    expect(requested).toMatchObject({
      status: "in_progress",
      pushes: [],
      tasks: [
        {
          task: "decideCancellation",
          status: "in_progress",
          cancelledBy: "reseller",
          providerNotes: "The customer moved away. No fees charged.",
        },
      ],
    });
    expect(regionsOf(requested)).toMatchObject({ cancellation: "assessing" });
    expect(requested.snapshot.context.cancellation).toMatchObject({
      requestedBy: "reseller",
      reasonCode: "commercial",
    });
  });

  test("is carried out when somebody approves it", () => {
    const cancelled = take(requested, approved());
    expect(cancelled).toMatchObject({
      status: "cancelled",
      pushes: [{ status: "cancelled", metadata: { cancelledBy: "reseller" } }],
    });
    expect(take(item, approved()).status).toBe("cancelled");
  });

  test("is dropped when somebody denies it, and work goes on meanwhile", () => {
    const denied = take(requested, machineEvent("cancellation.denied"));
    expect(regionsOf(denied)).toMatchObject({ cancellation: "none" });
    expect(denied).toMatchObject({ pushes: [], snapshot: { context: { cancellation: null } } });
    expect(take(requested, machineEvent("work.completed")).status).toBe("completed");
    expect(take(item, machineEvent("cancellation.denied")).isTaken).toBe(false);
  });

  test("is followed at once when the marketplace has cancelled, and somebody stops the work", () => {
    const event = machineEvent("order.cancelled", { data: { origin: "marketplace" } });
    expect(take(item, event)).toMatchObject({
      status: "cancelled",
      pushes: [],
      tasks: [{ task: "stopWork", status: "in_progress", cancelledBy: "reseller" }],
    });
  });
});

describe("the point of no return", () => {
  const statuses: readonly Status[] = ["accepted", "scheduled", "in_progress", "failed"];

  test.each([
    { point: undefined, assessed: ["in_progress"] },
    { point: "in_progress", assessed: ["in_progress"] },
    { point: "scheduled", assessed: ["scheduled", "in_progress"] },
    { point: "never", assessed: [] },
  ] as const)("$point lies before $assessed", ({ point, assessed }) => {
    const options = point === undefined ? {} : { pointOfNoReturn: { internet: point } };
    const kept = statuses.filter(
      (status) =>
        take(inStatus(status, options), machineEvent("order.cancelled")).status === status,
    );
    expect(kept).toEqual(assessed);
  });

  test("of one offer category says nothing about another", () => {
    const options = { pointOfNoReturn: { energy: "scheduled" } } as const;
    const item = inStatus("scheduled", options);
    expect(take(item, machineEvent("order.cancelled")).status).toBe("cancelled");
  });

  test("a completed item is never cancelled", () => {
    expect(take(inStatus("completed"), approved()).isTaken).toBe(false);
  });
});

describe("waiting", () => {
  test("goes on beside fulfilment, on one party at a time, and pushes nothing", () => {
    const onCustomer = take(inStatus("accepted"), machineEvent("wait.started"));
    expect(onCustomer).toMatchObject({ status: "accepted", pushes: [] });
    expect(regionsOf(onCustomer)).toMatchObject({ waiting: "customer" });
    const reseller = machineEvent("wait.started", { data: { on: "reseller" } });
    expect(regionsOf(take(onCustomer, reseller))).toMatchObject({ waiting: "customer" });
    const provider = machineEvent("wait.started", { data: { on: "provider", reason: "Permit" } });
    const onProvider = takeAll(onCustomer, [provider, machineEvent("appointment.scheduled")]);
    expect(onProvider.status).toBe("scheduled");
    expect(regionsOf(onProvider)).toMatchObject({ waiting: "provider" });
    expect(onProvider.snapshot.context.wait).toMatchObject({ on: "provider", reason: "Permit" });
    const ended = take(onProvider, machineEvent("wait.ended"));
    expect(regionsOf(ended)).toMatchObject({ waiting: "none" });
    expect(ended.snapshot.context.wait).toBeNull();
    expect(take(ended, machineEvent("wait.ended")).isTaken).toBe(false);
  });

  test("ends with the item's open life", () => {
    const waiting = take(inStatus("in_progress"), machineEvent("wait.started"));
    const completed = take(waiting, machineEvent("work.completed"));
    expect(completed.snapshot.context.wait).toBeNull();
    expect(take(completed, machineEvent("wait.started")).isTaken).toBe(false);
  });
});
