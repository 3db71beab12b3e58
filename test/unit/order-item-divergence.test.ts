import { describe, expect, test } from "vitest";
import { orderItemDefinition } from "../../machines/order-item/definition.ts";
import type { Status } from "../../machines/order-item/statuses.ts";
import { orderItem2_0Definition } from "../../machines/order-item/version-2-0.ts";
import type { Actor } from "../../src/core/actor.ts";
import { needsPersonSince } from "../../src/core/attention.ts";
import type { ArrivedEvent } from "../../src/core/arrival.ts";
import { decideEvent } from "../../src/core/decide.ts";
import type { Decision, Verdict } from "../../src/core/decision.ts";
import type { JsonObject } from "../../src/core/event.ts";
import type { JournalEntry } from "../../src/core/journal.ts";
import { registerMachines } from "../../src/core/machine.ts";
import { replayAll } from "../../src/core/replay.ts";
import { orderEvent } from "../support/order-item-events.ts";
import { WAYS } from "../support/order-item-walk.ts";

const NOW = Date.parse("2031-03-01T09:00:00Z");
const LIMITS = {
  parkedForMs: 1_000,
  unknownItemForMs: 1_000,
  parkedMax: 50,
  journalMax: 1_000,
  timersPerDecision: 100,
};
const present = registerMachines([orderItemDefinition(), orderItem2_0Definition()]);
const former = registerMachines([orderItem2_0Definition()]);

/** An item with all that was decided about it. */
class Item {
  actor: Actor | undefined;
  readonly journal: JournalEntry[] = [];
  #last: Decision | undefined;

  constructor(status: Status, machines = present) {
    for (const type of ["order.received", ...WAYS[status]] as const) this.take(type, {}, machines);
  }

  take(type: string, data: JsonObject = {}, machines = present): Verdict {
    const { time } = orderEvent("order.received");
    const given = orderEvent("order.received", { subject: "i1" });
    const event = (
      type.startsWith("order.diverged") ||
      type.startsWith("order.converged") ||
      type === "status.observed"
        ? { ...given, type, data, time }
        : orderEvent(type as "order.accepted", { subject: "i1", data })
    ) as ArrivedEvent;
    const { decision, verdict } = decideEvent(
      { machines, limits: LIMITS, now: NOW },
      this.actor,
      event,
    );
    this.actor = decision.actor;
    this.journal.push(...decision.entries);
    this.#last = decision;
    return verdict;
  }

  get asked(): readonly unknown[] {
    return this.#last?.effects.filter(({ name }) => name === "askOperator") ?? [];
  }

  get pushed(): readonly unknown[] {
    return this.#last?.effects.filter(({ name }) => name === "pushStatus") ?? [];
  }

  get divergence(): unknown {
    return this.actor?.snapshot?.context["divergence"];
  }

  get status(): unknown {
    return this.actor?.snapshot?.context["status"];
  }
}

describe("an observed status that cannot be reached", () => {
  test("leaves the status alone, pushes nothing, and asks a person once for each thing that is said", () => {
    const item = new Item("scheduled");
    expect(item.take("status.observed", { status: "accepted" }).outcome).toBe("applied");
    expect(item).toMatchObject({
      status: "scheduled",
      pushed: [],
      divergence: { crm: { status: "accepted" } },
      asked: [{ params: { task: "settleDivergence", side: "crm", says: "accepted" } }],
    });
    expect(item.take("status.observed", { status: "accepted" }).outcome).toBe("stale");
    expect(item.asked).toEqual([]);
    item.take("status.observed", { status: "rejected" });
    expect(item.asked).toHaveLength(1);
    expect(needsPersonSince(present, item.actor)).toBeDefined();
  });

  test("is agreed upon again by the same side: by what it observes next, or a step that it reports", () => {
    for (const [type, data] of [
      ["status.observed", { status: "scheduled" }],
      ["status.observed", { status: "active" }],
      ["work.started", {}],
    ] as const) {
      const item = new Item("scheduled");
      item.take("status.observed", { status: "accepted" });
      expect(item.take(type, data).outcome).toBe("applied");
      expect(item.divergence).toBeUndefined();
      expect(needsPersonSince(present, item.actor)).toBeUndefined();
    }
  });
});

describe("a side that says something else", () => {
  const claim = { side: "marketplace", status: "completed" };

  test("is not silenced by the other side, unless what it says has come true", () => {
    const item = new Item("scheduled");
    item.take("order.diverged", claim);
    item.take("work.started");
    expect(item.divergence).toMatchObject({ marketplace: { status: "completed" } });
    item.take("work.completed");
    expect(item.divergence).toBeUndefined();
  });

  test("agrees again by a fact, of itself or of a person, and an agreement that nobody doubts is stale", () => {
    const item = new Item("accepted");
    expect(item.take("order.converged").outcome).toBe("stale");
    item.take("order.diverged", claim);
    item.take("order.diverged", { side: "crm", status: "pending" });
    item.take("order.converged", { side: "marketplace" });
    expect(item.divergence).toMatchObject({ crm: { status: "pending" } });
    expect(item.take("order.converged", { by: "ops@example.com" }).outcome).toBe("applied");
    expect(item.divergence).toBeUndefined();
    expect(item.pushed).toEqual([]);
  });

  test("replays, and is refused by an item that has ended", () => {
    const item = new Item("accepted");
    item.take("order.diverged", { ...claim, reason: "Nothing that we know of explains it." });
    item.take("status.observed", { status: "pending" });
    item.take("order.converged", { side: "crm" });
    item.take("service.activated");
    expect(replayAll(present, "i1", item.journal)).toEqual(item.actor);
    expect(new Item("cancelled").take("order.diverged", claim).outcome).toBe("rejected");
  });
});

test("an item of version 2.0.0 keeps its rules and replays beside the present one", () => {
  const item = new Item("scheduled", former);
  expect(item.actor?.version).toBe("2.0.0");
  expect(item.take("status.observed", { status: "accepted" })).toMatchObject({
    outcome: "rejected",
    problem: { code: "EVENT_NOT_ALLOWED" },
  });
  expect(item.take("order.diverged", { side: "crm", status: "accepted" }).outcome).toBe("rejected");
  expect(item.take("work.started").outcome).toBe("applied");
  expect(replayAll(present, "i1", item.journal)).toEqual(item.actor);
});
