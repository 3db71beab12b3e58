/** Clocks as part of an item: decided with its transitions, kept in its text, replayed without a policy. */
import { describe, expect, test } from "vitest";
import { setup } from "xstate";
import { decodeActor, dueAt, encodeActor, type Actor } from "../../src/core/actor.ts";
import type { ArrivedEvent } from "../../src/core/arrival.ts";
import { ACKNOWLEDGED, SNOOZED } from "../../src/core/clock-event.ts";
import { decideDue, decideEvent, decideHappening } from "../../src/core/decide.ts";
import type { Decision, OutboxEffect, Setting } from "../../src/core/decision.ts";
import type { DecisionEntry } from "../../src/core/journal.ts";
import { registerMachines } from "../../src/core/machine.ts";
import { replayAll } from "../../src/core/replay.ts";
import { clockworkOf } from "../../src/sla/clockwork.ts";
import type { Policy } from "../../src/sla/policy.ts";
import { HOUR_MS, MINUTE_MS, MONDAY, testPolicy } from "../support/sla-item.ts";
import { ANY_DATA, LIMITS, smallDefinition } from "../support/small-machine.ts";

const chart = setup({ types: { context: {} as Record<string, unknown> } }).createMachine({
  context: ({ input }) => input as Record<string, unknown>,
  initial: "open",
  states: {
    open: { on: { started: "working", closed: "done" } },
    working: { on: { closed: "done" } },
    done: { type: "final" },
  },
});

const definition = smallDefinition(chart, ["started", "closed"], {
  clocked: ({ context }) => {
    const { zone, createdAt } = context;
    return {
      ...(typeof zone === "string" && { zone }),
      ...(typeof createdAt === "number" && { createdAt }),
    };
  },
  delayNote: ({ context }, { clock, dueAt: late }) =>
    context["silent"] === true ? undefined : { name: "note", params: { clock, late } },
  effects: {
    tell: { params: ANY_DATA, channel: "operator" },
    note: { params: ANY_DATA, channel: "marketplace" },
  },
});

const MACHINES = registerMachines([definition]);

/** Eight hours from the birth to the end, on a calendar without nights. */
const POLICY: Policy = testPolicy({
  clocks: {
    work: {
      kind: "duration",
      starts: [{ enters: ["open"] }],
      stops: [{ enters: ["done"] }],
      targetMs: 8 * HOUR_MS,
      calendar: "always",
      ladder: "default",
    },
  },
  delayNotes: { clocks: ["work"], everyMs: 24 * HOUR_MS },
});

/** An item between decisions: stored and read again, as in production. */
class Item {
  actor: Actor | undefined;
  policy: Policy = POLICY;
  readonly journal: DecisionEntry[] = [];
  readonly effects: OutboxEffect[] = [];
  #count = 0;

  tell(type: string, at: number, told: Partial<ArrivedEvent> = {}) {
    this.#count += 1;
    const event: ArrivedEvent = {
      specversion: "1.0",
      id: `e${this.#count}`,
      source: `source-of-${type}`,
      type,
      subject: "item-1",
      time: new Date(at).toISOString(),
      data: {},
      ...told,
    };
    const { decision, verdict } = decideEvent(this.#setting(at), this.actor, event);
    this.#keep(decision);
    return verdict;
  }

  wake(at: number): void {
    if (this.actor !== undefined) this.#keep(decideDue(this.#setting(at), this.actor));
  }

  happens(eventType: string, at: number): void {
    if (this.actor === undefined) return;
    this.#keep(decideHappening(this.#setting(at), this.actor, { eventType, at }));
  }

  notices(): unknown[] {
    return this.effects.filter(({ name }) => name === "notify").map(({ params }) => params["rung"]);
  }

  text(): string | undefined {
    return this.actor && encodeActor(this.actor);
  }

  #setting(now: number): Setting {
    return { machines: MACHINES, limits: LIMITS, clocks: clockworkOf(this.policy), now };
  }

  #keep({ actor, entries, effects }: Decision): void {
    this.actor = actor && decodeActor(actor.id, encodeActor(actor));
    this.journal.push(...entries);
    this.effects.push(...effects);
  }
}

function born(data: ArrivedEvent["data"] = {}): Item {
  const item = new Item();
  item.tell("born", MONDAY, { data });
  return item;
}

function hold(kind: string, item: Item, { at, until, role = "owner" }: HoldArguments) {
  const data = {
    clock: "work",
    until: new Date(until).toISOString(),
    by: "ada",
    role,
    reason: "x",
  };
  return item.tell(kind, at, { data });
}

interface HoldArguments {
  readonly at: number;
  readonly until: number;
  readonly role?: "owner" | "lead";
}

describe("an item's clocks", () => {
  test("begin with its birth, in the same decision, and say when time changes something", () => {
    const item = born();
    expect(item.journal).toHaveLength(1);
    expect(item.journal[0]?.clocks).toContainEqual(
      expect.objectContaining({ kind: "started", clock: "work", dueAt: MONDAY + 8 * HOUR_MS }),
    );
    expect(item.actor && dueAt(item.actor)).toBe(MONDAY + 4 * HOUR_MS);
  });

  test("count from the item's own creation, however late it was told", () => {
    const item = born({ createdAt: MONDAY - 5 * HOUR_MS });
    expect(item.actor?.clocks?.clocks["work"]?.dueAt).toBe(MONDAY + 3 * HOUR_MS);
    expect(item.notices()).toEqual([]);
    item.wake(MONDAY + MINUTE_MS);
    expect(item.notices()).toEqual(["50%"]);
  });

  test("ring as effects of the decision that found them due, once each", () => {
    const item = born();
    for (const hours of [4, 4, 6, 8, 8]) item.wake(MONDAY + hours * HOUR_MS);
    expect(item.notices()).toEqual(["50%", "75%", "breach"]);
    expect(item.journal.map(({ kind }) => kind)).toEqual(["event", "clocks", "clocks", "clocks"]);
    expect(item.effects.at(-2)).toMatchObject({
      id: "item-1:4:0",
      name: "note",
      channel: "marketplace.acme",
      params: { clock: "work", late: MONDAY + 8 * HOUR_MS },
    });
    expect(item.effects.at(-1)).toMatchObject({
      id: "item-1:4:1",
      name: "notify",
      channel: "operator",
      params: {
        kind: "breach",
        clock: "work",
        to: ["owner", "lead"],
        account: "acme",
        status: "open",
        dueAt: new Date(MONDAY + 8 * HOUR_MS).toISOString(),
      },
    });
  });

  test("count as noted to the marketplace only what the machine has words for", () => {
    const item = born({ silent: true });
    item.wake(MONDAY + 8 * HOUR_MS);
    expect(item.effects.map(({ name }) => name)).toEqual(["notify"]);
    expect(item.actor?.clocks).not.toHaveProperty("delayNotedAt");
    expect(item.journal.at(-1)?.clocks).toContainEqual({
      kind: "breached",
      clock: "work",
      at: MONDAY + 8 * HOUR_MS,
    });
  });

  test("stop with the transition that ends them, and then nothing is due", () => {
    const item = born();
    item.tell("closed", MONDAY + HOUR_MS);
    expect(item.journal.at(-1)?.clocks).toContainEqual(
      expect.objectContaining({ kind: "stopped", outcome: "met", usedMs: HOUR_MS }),
    );
    expect(item.actor && dueAt(item.actor)).toBeUndefined();
  });

  test("are measured anew at the next look when the policy is another one", () => {
    const item = born();
    const { work } = POLICY.clocks as { work: object };
    item.policy = {
      ...POLICY,
      version: "test-2",
      clocks: { work: { ...POLICY.clocks["work"], ...work, targetMs: 2 * HOUR_MS } as never },
    };
    item.wake(MONDAY + MINUTE_MS);
    expect(item.actor?.clocks).toMatchObject({
      policy: "test-2",
      clocks: { work: { dueAt: MONDAY + 2 * HOUR_MS } },
    });
    expect(item.actor && dueAt(item.actor)).toBe(MONDAY + HOUR_MS);
  });

  test("hear what the engine has seen; what no clock cares about is no decision", () => {
    const item = born();
    item.happens("push.owed", MONDAY + HOUR_MS);
    expect(item.journal).toHaveLength(1);
  });

  test("a machine without clocks has none", () => {
    const machines = registerMachines([smallDefinition(chart, ["started"])]);
    const setting = { machines, limits: LIMITS, clocks: clockworkOf(POLICY), now: MONDAY };
    const event = { specversion: "1.0", id: "1", source: "s", type: "born", subject: "i" } as const;
    const time = new Date(MONDAY).toISOString();
    const { decision } = decideEvent(setting, undefined, { ...event, time, data: {} });
    expect(decision.actor).not.toHaveProperty("clocks");
    expect(decision.entries[0]).not.toHaveProperty("clocks");
  });
});

describe("silencing a clock", () => {
  test("an acknowledged breach does not repeat until its end, and the journal says who", () => {
    const item = born();
    item.wake(MONDAY + 8 * HOUR_MS);
    const told = { at: MONDAY + 9 * HOUR_MS, until: MONDAY + 20 * HOUR_MS };
    expect(hold(ACKNOWLEDGED, item, told)).toEqual({ outcome: "applied" });
    expect(item.journal.at(-1)).toMatchObject({
      kind: "event",
      outcome: "applied",
      event: { data: { by: "ada", reason: "x" } },
    });
    expect(item.actor && dueAt(item.actor)).toBe(told.until);
  });

  test("is refused with a reason, and the item is as it was", () => {
    const item = born();
    const before = item.actor?.clocks;
    const told = { at: MONDAY + HOUR_MS, until: MONDAY + 9 * HOUR_MS };
    expect(hold(SNOOZED, item, told)).toMatchObject({
      outcome: "rejected",
      problem: { code: "CLOCK_HOLD_REFUSED" },
    });
    expect(item.actor?.clocks).toEqual(before);
    expect(hold(SNOOZED, item, { ...told, role: "lead" })).toEqual({ outcome: "applied" });
  });

  test("of an item that nobody knows is a dead letter that says so", () => {
    const item = new Item();
    const told = { at: MONDAY, until: MONDAY + HOUR_MS };
    expect(hold(SNOOZED, item, told)).toMatchObject({
      outcome: "dead-letter",
      problem: { code: "ITEM_UNKNOWN" },
    });
  });

  test("needs all that the journal must tell of it", () => {
    const item = born();
    const data = { clock: "work", until: "tomorrow", by: "ada", role: "owner" };
    expect(item.tell(SNOOZED, MONDAY, { data })).toMatchObject({
      outcome: "rejected",
      problem: { code: "EVENT_DATA_INVALID" },
    });
  });
});

test("a numbered acknowledgement waits for its turn, is read then, and frees who waits for its number", () => {
  const item = born();
  const at = MONDAY + HOUR_MS;
  const counted = (number: number) =>
    ({ source: "desk", sequence: String(number), sequencetype: "Integer" }) as const;
  const until = new Date(MONDAY + 20 * HOUR_MS).toISOString();
  const data = { clock: "work", until, by: "ada", role: "lead", reason: "x" };
  const told = [
    item.tell("closed", at, counted(3)),
    item.tell(SNOOZED, at, { ...counted(2), data }),
    item.tell("started", at, counted(1)),
  ];
  expect(told.map(({ outcome }) => outcome)).toEqual(["parked", "parked", "applied"]);
  const ends = item.journal.filter((entry) => "outcome" in entry && entry.outcome === "applied");
  expect(ends.map((entry) => "event" in entry && entry.event.type)).toEqual([
    "born",
    "started",
    SNOOZED,
    "closed",
  ]);
  expect(item.actor?.parked).toEqual([]);
  const replayed = replayAll(MACHINES, "item-1", item.journal);
  expect(replayed && encodeActor(replayed)).toBe(item.text());
});

test("replay gives the stored text without any policy", () => {
  const item = born({ createdAt: MONDAY - HOUR_MS });
  for (const hours of [3, 5, 7]) item.wake(MONDAY + hours * HOUR_MS);
  hold(ACKNOWLEDGED, item, { at: MONDAY + 8 * HOUR_MS, until: MONDAY + 9 * HOUR_MS });
  hold(SNOOZED, item, { at: MONDAY + 8 * HOUR_MS, until: MONDAY });
  item.tell("started", MONDAY + 9 * HOUR_MS);
  item.policy = { ...POLICY, version: "test-2" };
  item.wake(MONDAY + 10 * HOUR_MS);
  item.tell("closed", MONDAY + 11 * HOUR_MS, { time: new Date(MONDAY + HOUR_MS).toISOString() });
  const replayed = replayAll(MACHINES, "item-1", item.journal);
  expect(replayed && encodeActor(replayed)).toBe(item.text());
});
