import { describe, expect, test } from "vitest";
import { orderItemDefinition } from "../../machines/order-item/definition.ts";
import type { OrderItemOptions } from "../../machines/order-item/options.ts";
import { orderItem2_0Definition } from "../../machines/order-item/version-2-0.ts";
import { legalPairs } from "../../machines/order-item/pairs.ts";
import { STATUS_NAMES, type Status } from "../../machines/order-item/statuses.ts";
import type { MachineDefinition, MachineEvent } from "../../src/core/definition.ts";
import type { JsonObject } from "../../src/core/event.ts";
import { machineEvent } from "../support/order-item-events.ts";
import { born, inStatus, lookAt, takeAll, type Walked } from "../support/order-item-walk.ts";

const definition: MachineDefinition = orderItemDefinition();

function observe(item: Walked, status: Status, data: JsonObject = {}) {
  const event = machineEvent("status.observed", { id: "seen-1", data: { status, ...data } });
  return definition.expand?.(event, lookAt(item));
}

function pathTo(item: Walked, status: Status, data: JsonObject = {}): readonly MachineEvent[] {
  const path = observe(item, status, data);
  if (path === undefined || !Array.isArray(path)) throw new Error(JSON.stringify(path));
  return path as readonly MachineEvent[];
}

const typesOf = (events: readonly MachineEvent[]) => events.map(({ type }) => type);

describe("an observed status", () => {
  test("is walked by the shortest path, of which the last step carries what was observed", () => {
    const item = inStatus("scheduled");
    const data = { providerNotes: "Live.", metadata: { accountNumber: "7" } };
    const path = pathTo(item, "active", data);
    expect(path).toMatchObject([
      { id: "seen-1#1", type: "work.started", derived: true, data: { quiet: true } },
      { id: "seen-1#2", type: "service.activated", derived: true, data },
    ]);
    expect(path[1]?.data).toEqual(data);
    expect(takeAll(item, path)).toMatchObject({
      status: "active",
      pushes: [{ status: "active", providerNotes: "Live." }],
    });
  });

  test("that the item has already means nothing new", () => {
    for (const status of STATUS_NAMES) expect(observe(inStatus(status), status)).toEqual([]);
  });

  test("that no path reaches is a disagreement, for version 2.0.0 a refusal that says what is allowed", () => {
    expect(observe(inStatus("completed"), "failed")).toMatchObject([
      { type: "order.diverged", derived: true, data: { side: "crm", status: "failed" } },
    ]);
    const event = machineEvent("status.observed", { data: { status: "failed" } });
    expect(orderItem2_0Definition().expand(event, lookAt(inStatus("completed")))).toMatchObject({
      code: "EVENT_NOT_ALLOWED",
      allowed: ["service.activated"],
    });
  });

  test("leaves any other event to stand for itself", () => {
    const event = machineEvent("work.started");
    expect(definition.expand?.(event, lookAt(inStatus("scheduled")))).toBeUndefined();
  });

  test("of a source that tells no details is taken without them", () => {
    expect(takeAll(born(), pathTo(born(), "scheduled"))).toMatchObject({
      status: "scheduled",
      pushes: [{ status: "scheduled" }],
    });
  });

  test("follows the rules of the actor: profile, completion style, installation apart", () => {
    const wayOf = (options: Partial<OrderItemOptions>, from: Status, to: Status) =>
      typesOf(pathTo(inStatus(from, options), to));
    expect(wayOf({}, "accepted", "in_progress")).toEqual(["work.started"]);
    expect(wayOf({ profile: "strict" }, "accepted", "in_progress")).toEqual([
      "appointment.scheduled",
      "work.started",
    ]);
    expect(wayOf({ completionStyle: "two-step" }, "in_progress", "active")).toEqual([
      "work.completed",
      "service.activated",
    ]);
    expect(wayOf({}, "pending", "cancelled")).toEqual(["order.accepted", "order.cancelled"]);
    expect(typesOf(pathTo(born(), "cancelled", { origin: "marketplace" }))).toEqual([
      "order.cancelled",
    ]);
  });

  test("by the marketplace pushes nothing, even past the point of no return", () => {
    const item = inStatus("in_progress");
    const path = pathTo(item, "cancelled", { origin: "marketplace" });
    expect(takeAll(item, path)).toMatchObject({
      status: "cancelled",
      pushes: [],
      tasks: [{ task: "stopWork", status: "in_progress" }],
    });
  });

  test("pushes its implied steps only when the item's options say so", () => {
    const item = born({ pushIntermediate: true });
    const [first] = pathTo(item, "active");
    expect(first?.data).toEqual({});
    expect(takeAll(item, first ? [first] : []).pushes).toEqual([{ status: "accepted" }]);
  });

  test("reaches exactly what the legal pairs connect, each walk being taken step by step", () => {
    for (const profile of ["strict", "extended"] as const) {
      const reach = reachable(legalPairs(profile).filter(({ number }) => number !== 16));
      for (const from of STATUS_NAMES) {
        for (const to of STATUS_NAMES) {
          const item = inStatus(from, { profile });
          const path = pathTo(item, to);
          const isReached = from === to || reach.has(`${from} > ${to}`);
          expect(typesOf(path).includes("order.diverged")).toBe(!isReached);
          const end = isReached ? takeAll(item, path).status : to;
          expect(end).toBe(to);
        }
      }
    }
  });
});

function reachable(pairs: readonly { from: Status; to: Status }[]): ReadonlySet<string> {
  const found = new Set(pairs.map(({ from, to }) => `${from} > ${to}`));
  for (const middle of STATUS_NAMES) {
    for (const from of STATUS_NAMES) {
      for (const to of STATUS_NAMES) {
        const isLinked = found.has(`${from} > ${middle}`) && found.has(`${middle} > ${to}`);
        if (isLinked) found.add(`${from} > ${to}`);
      }
    }
  }
  return found;
}
