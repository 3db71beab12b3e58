import { describe, expect, test } from "vitest";
import { assign, createMachine, raise, setup } from "xstate";
import { z } from "zod";
import { type Actor, encodeActor } from "../../src/core/actor.ts";
import type { ArrivedEvent } from "../../src/core/arrival.ts";
import { decideDue, decideEvent } from "../../src/core/decide.ts";
import type { DeadEvent, Limits, Verdict } from "../../src/core/decision.ts";
import type { MachineDefinition } from "../../src/core/definition.ts";
import type { DecisionEntry } from "../../src/core/journal.ts";
import { registerMachines } from "../../src/core/machine.ts";
import { replayAll } from "../../src/core/replay.ts";
import { ANY_DATA, arrived, LIMITS, smallDefinition } from "../support/small-machine.ts";

/** a → b → c → end; `note` counts anywhere; a guard keeps `guarded` until two notes are in. */
const WALK = setup({
  types: {} as { context: { notes: number } },
  actions: {
    tell: (_args, _params: { what: string }) => undefined,
    count: assign({ notes: ({ context }) => context.notes + 1 }),
  },
  guards: { isNoted: ({ context }) => context.notes >= 2 },
}).createMachine({
  context: { notes: 0 },
  initial: "a",
  on: { note: { actions: ["count", { type: "tell", params: { what: "note" } }] } },
  states: {
    a: {
      on: {
        toB: "b",
        broken: {
          actions: assign(() => {
            throw new Error("broken");
          }),
        },
      },
    },
    b: { on: { toC: "c", guarded: { target: "c", guard: "isNoted" } } },
    c: { on: { toEnd: "end" } },
    end: { type: "final" },
  },
});
const TYPES = ["toB", "toC", "toEnd", "note", "guarded", "broken"];

interface Life {
  actor: Actor | undefined;
  now: number;
  readonly entries: DecisionEntry[];
  readonly deadEvents: DeadEvent[];
  readonly tell: (...events: readonly ArrivedEvent[]) => Verdict["outcome"][];
  readonly verdict: (event: ArrivedEvent) => Verdict;
  readonly due: (now: number) => DecisionEntry[];
  readonly state: () => unknown;
  /** "type outcome" of each decision about an event, in order. */
  readonly story: () => string[];
}

function life(change: Partial<MachineDefinition> = {}, limits: Partial<Limits> = {}): Life {
  const machines = registerMachines([smallDefinition(WALK, TYPES, change)]);
  const setting = () => ({ machines, limits: { ...LIMITS, ...limits }, now: each.now });
  const add = (decision: ReturnType<typeof decideDue>) => {
    each.actor = decision.actor;
    each.entries.push(...decision.entries);
    each.deadEvents.push(...decision.deadEvents);
    return [...decision.entries];
  };
  const verdict = (event: ArrivedEvent): Verdict => {
    const decided = decideEvent(setting(), each.actor, event);
    add(decided.decision);
    return decided.verdict;
  };
  const each: Life = {
    actor: undefined,
    now: 1_000,
    entries: [],
    deadEvents: [],
    verdict,
    tell: (...events) => events.map((event) => verdict(event).outcome),
    due: (now) => {
      each.now = now;
      return each.actor === undefined ? [] : add(decideDue(setting(), each.actor));
    },
    state: () => each.actor?.snapshot?.value,
    story: () =>
      each.entries.map((entry) =>
        entry.kind === "event" ? `${entry.event.type} ${entry.outcome}` : entry.kind,
      ),
  };
  return each;
}

const counted = (type: string, number: number, change: Partial<ArrivedEvent> = {}) =>
  arrived(type, { sequence: `${number}`, sequencetype: "Integer", ...change });

describe("order within a source", () => {
  test("an earlier time than its source has told is stale, and of another source it is not", () => {
    const item = life();
    item.now = Date.parse("2026-03-02T12:00:00Z");
    item.tell(arrived("born"), arrived("note", { time: "2026-03-02T10:00:00Z" }));
    const early = { time: "2026-03-02T09:30:00Z" };
    expect(item.verdict(arrived("note", early))).toMatchObject({
      outcome: "stale",
      problem: { code: "EVENT_STALE" },
    });
    expect(item.tell(arrived("note", { ...early, source: "crm/b" }))).toEqual(["applied"]);
  });

  test("an equal time is taken, an equal sequence is stale", () => {
    const item = life();
    expect(item.tell(arrived("born"), arrived("note"), arrived("note"))).toEqual(
      Array(3).fill("applied"),
    );
    expect(
      item.tell(arrived("note", { sequence: "a" }), arrived("note", { sequence: "a" })),
    ).toEqual(["applied", "stale"]);
  });

  test("a gap waits, and is released in the order of its numbers", () => {
    const item = life();
    item.tell(counted("born", 1));
    expect(item.tell(counted("toEnd", 4), counted("toC", 3))).toEqual(["parked", "parked"]);
    expect(item.verdict(counted("toEnd", 9)).problem?.code).toBe("EVENT_TOO_EARLY");
    expect(item.tell(counted("toB", 2))).toEqual(["applied"]);
    expect(item.state()).toBe("end");
    expect(item.story().slice(-3)).toEqual(["toB applied", "toC applied", "toEnd applied"]);
    expect(item.entries.at(-1)).toMatchObject({ retried: true });
  });

  test("a refused number is spent: its successors do not wait for it", () => {
    const item = life();
    item.tell(counted("born", 1));
    expect(item.tell(counted("born", 2), counted("toB", 3))).toEqual(["rejected", "applied"]);
  });

  test("a refused number frees the successors that wait already", () => {
    const item = life();
    item.tell(counted("born", 1), counted("toB", 3));
    expect(item.tell(counted("born", 2))).toEqual(["rejected"]);
    expect(item.state()).toBe("b");
  });

  test("a number that is refused behind a gap is spent at its turn, not before the missing ones", () => {
    const item = life({
      events: { born: ANY_DATA, toB: ANY_DATA, note: z.object({ by: z.string() }) },
    });
    item.tell(counted("born", 1));
    expect(item.tell(counted("note", 3), counted("toB", 2))).toEqual(["parked", "applied"]);
    expect(item.story()).toEqual(["born applied", "note parked", "toB applied", "note rejected"]);
    expect(item.actor?.sources["crm/a"]?.sequence).toBe("3");
  });

  test("a number that is given up is awaited no more, and takes the lower ones with it", () => {
    const item = life();
    item.tell(counted("born", 1));
    item.tell(counted("note", 4));
    item.now += 10;
    item.tell(counted("note", 3), counted("note", 5), counted("note", 6));
    item.due(1_000 + LIMITS.parkedForMs);
    expect(item.deadEvents.map(({ event }) => event.sequence)).toEqual(["4", "3"]);
    expect(item.story().slice(-2)).toEqual(["note applied", "note applied"]);
    expect(item.actor?.parked).toEqual([]);
  });

  test("a dead letter is redriven under its own number", () => {
    const item = life();
    item.tell(counted("born", 1), counted("note", 3));
    item.due(1_000 + LIMITS.parkedForMs);
    const [dead] = item.deadEvents;
    expect(dead?.problem.code).toBe("PARKED_EXPIRED");
    expect(item.tell({ ...(dead?.event as ArrivedEvent), redrive: 1 })).toEqual(["applied"]);
  });
});

describe("an early event", () => {
  test("is parked with what is allowed now, and applied after the transition that it waited for", () => {
    const item = life();
    item.tell(arrived("born"));
    expect(item.verdict(arrived("toC"))).toMatchObject({
      outcome: "parked",
      problem: { code: "EVENT_TOO_EARLY", allowed: expect.arrayContaining(["toB", "note"]) },
    });
    expect(item.entries.at(-1)).toMatchObject({
      reason: "early",
      until: 1_000 + LIMITS.parkedForMs,
    });
    item.tell(arrived("toB", { source: "crm/b" }));
    expect(item.state()).toBe("c");
  });

  test("of several, each is tried after every transition, by time", () => {
    const item = life();
    item.tell(arrived("born"));
    item.tell(
      arrived("toEnd", { time: "2026-03-02T12:00:00Z" }),
      arrived("toC", { time: "2026-03-02T11:00:00Z" }),
      arrived("toB", { time: "2026-03-02T10:00:00Z", source: "crm/b" }),
    );
    expect(item.state()).toBe("end");
    expect(item.story().slice(-3)).toEqual(["toB applied", "toC applied", "toEnd applied"]);
  });

  test("that only a guard denies waits for the guard", () => {
    const item = life();
    item.tell(arrived("born"), arrived("toB"));
    expect(item.tell(arrived("guarded"))).toEqual(["parked"]);
    item.tell(arrived("note", { source: "x" }), arrived("note", { source: "x" }));
    expect(item.state()).toBe("c");
  });

  test("beyond the limit of parked events is a dead letter, and the actor does not change", () => {
    const item = life({}, { parkedMax: 1 });
    item.tell(arrived("born"), arrived("toC"));
    const before = item.actor;
    expect(item.verdict(arrived("toEnd"))).toMatchObject({
      outcome: "dead-letter",
      problem: { code: "PARKED_FULL" },
    });
    expect(item.actor).toBe(before);
    expect(item.deadEvents).toHaveLength(1);
  });

  test("whose time runs out is a dead letter, once, and a fact of the journal", () => {
    const item = life();
    item.tell(arrived("born"), arrived("toC"));
    const end = 1_000 + LIMITS.parkedForMs;
    expect(item.due(end - 1)).toEqual([]);
    expect(item.due(end)).toMatchObject([{ kind: "expired", problem: { code: "PARKED_EXPIRED" } }]);
    expect(item.due(end + 1)).toEqual([]);
    expect(item.deadEvents).toHaveLength(1);
  });

  test("that can never come is refused", () => {
    const item = life();
    item.tell(arrived("born"), arrived("toB"), arrived("toC"));
    expect(item.verdict(arrived("toB"))).toMatchObject({
      outcome: "rejected",
      problem: { code: "EVENT_NOT_ALLOWED", allowed: expect.arrayContaining(["toEnd"]) },
    });
  });
});

describe("an item that nobody has announced", () => {
  test("keeps its events until its birth, then takes them in order", () => {
    const item = life();
    expect(item.verdict(arrived("toC", { time: "2026-03-02T11:00:00Z" }))).toMatchObject({
      outcome: "parked",
      problem: { code: "ITEM_UNKNOWN" },
    });
    item.tell(arrived("toB", { time: "2026-03-02T10:00:00Z" }));
    expect(item.state()).toBeUndefined();
    expect(item.tell(arrived("born"))).toEqual(["applied"]);
    expect(item.state()).toBe("c");
    expect(item.actor?.revision).toBe(5);
  });

  test("is forgotten when its last event gives up", () => {
    const item = life();
    item.tell(arrived("toB"));
    expect(item.due(1_000 + LIMITS.unknownItemForMs)).toMatchObject([
      { kind: "expired", problem: { code: "ITEM_UNKNOWN" } },
    ]);
    expect(item.actor).toBeUndefined();
  });

  test("does not keep what could never be read: unknown types and wrong data are dead letters", () => {
    const item = life({ events: { born: z.object({ name: z.string() }), toB: ANY_DATA } });
    expect(item.verdict(arrived("strange")).problem?.code).toBe("EVENT_TYPE_UNKNOWN");
    expect(item.verdict(arrived("born")).problem?.code).toBe("EVENT_DATA_INVALID");
    expect(item.deadEvents).toHaveLength(2);
    expect(item.actor).toBeUndefined();
  });

  test("is not begun by a machine that fails at birth", () => {
    const item = life({ context: z.object({ notes: z.string() }) });
    expect(item.verdict(arrived("born"))).toMatchObject({
      outcome: "dead-letter",
      problem: { code: "MACHINE_FAILED" },
    });
    expect(item.actor).toBeUndefined();
  });
});

describe("a living item refuses", () => {
  test("a second birth", () => {
    const item = life();
    item.tell(arrived("born"));
    expect(item.verdict(arrived("born"))).toMatchObject({
      outcome: "rejected",
      problem: { code: "ITEM_EXISTS" },
    });
  });

  test("another account, whose numbers do not move its source on", () => {
    const item = life();
    item.tell(counted("born", 1));
    const foreign = counted("note", 99, { account: "other" });
    expect(item.verdict(foreign)).toMatchObject({
      outcome: "rejected",
      problem: { code: "EVENT_SUBJECT_FOREIGN" },
    });
    expect(item.tell(counted("note", 2, { account: "acme" }))).toEqual(["applied"]);
  });

  test("a birth that would give the item to another account than it speaks for", () => {
    const item = life();
    const foreign = arrived("born", { account: "other" });
    expect(item.verdict(foreign)).toMatchObject({
      outcome: "dead-letter",
      problem: { code: "EVENT_SUBJECT_FOREIGN" },
    });
    expect(item.tell(arrived("born", { account: "acme" }))).toEqual(["applied"]);
  });

  test("another account also among the events that waited for its birth", () => {
    const item = life();
    item.tell(arrived("toB", { account: "other" }), arrived("born"));
    expect(item.state()).toBe("a");
    expect(item.story().at(-1)).toBe("toB rejected");
  });

  test("an unknown type, with the known ones in the message", () => {
    const item = life();
    item.tell(arrived("born"));
    const { outcome, problem } = item.verdict(arrived("strange"));
    expect({ outcome, code: problem?.code }).toEqual({
      outcome: "rejected",
      code: "EVENT_TYPE_UNKNOWN",
    });
    expect(problem?.message).toContain("toB, toC");
  });

  test("everything after its end", () => {
    const item = life();
    item.tell(arrived("born"), arrived("toB"), arrived("toC"), arrived("toEnd"));
    expect(item.verdict(arrived("note"))).toMatchObject({
      outcome: "rejected",
      problem: { code: "ITEM_FINAL", allowed: [] },
    });
  });

  test("what its definition refuses, with the reason", () => {
    const item = life({ refuse: () => ({ code: "REASON_MISSING", message: "Why?" }) });
    item.tell(arrived("born"));
    expect(item.verdict(arrived("note"))).toMatchObject({
      outcome: "rejected",
      problem: { code: "REASON_MISSING" },
    });
  });

  test("data that does not fit, by the code that its schema names", () => {
    const schema = z.record(z.string(), z.unknown()).superRefine((_data, issues) => {
      issues.addIssue({ code: "custom", message: "no", params: { code: "SCHEDULE_DATE_MISSING" } });
    });
    const item = life({ events: { born: ANY_DATA, note: schema } });
    item.tell(arrived("born"));
    expect(item.verdict(arrived("note")).problem?.code).toBe("SCHEDULE_DATE_MISSING");
  });
});

describe("a dead letter is", () => {
  test("an event on which the machine fails, with the state as it was", () => {
    const item = life();
    item.tell(arrived("born"));
    const before = item.actor?.snapshot;
    expect(item.verdict(arrived("broken"))).toMatchObject({
      outcome: "dead-letter",
      problem: { code: "MACHINE_FAILED" },
    });
    expect(item.actor?.snapshot).toBe(before);
    expect(item.story().at(-1)).toBe("broken rejected");
  });

  test("an event beyond the length of the journal", () => {
    const item = life({}, { journalMax: 2 });
    expect(item.tell(arrived("born"), arrived("note"), arrived("note"))).toEqual([
      "applied",
      "applied",
      "dead-letter",
    ]);
    expect(item.deadEvents[0]?.problem.code).toBe("JOURNAL_FULL");
    expect(item.actor?.revision).toBe(2);
  });

  test("an event of an item whose machine version is not deployed", () => {
    const item = life();
    item.tell(arrived("born"));
    item.actor = { ...(item.actor as Actor), version: "0" };
    const before = item.actor;
    expect(item.verdict(arrived("note"))).toMatchObject({
      outcome: "dead-letter",
      problem: { code: "MACHINE_UNKNOWN" },
    });
    expect(item.due(9_999_999)).toEqual([]);
    expect(item.actor).toBe(before);
  });
});

function raiseError(): never {
  throw new Error("a bug of the machine");
}

describe("timers", () => {
  const ticking = (types: Parameters<typeof createMachine>[0]) =>
    registerMachines([smallDefinition(createMachine(types), ["go", "ring", "late"])]);

  function due(machines: ReturnType<typeof ticking>, moments: readonly number[], limit = 20) {
    const setting = { machines, limits: { ...LIMITS, timersPerDecision: limit }, now: 0 };
    let { actor } = decideEvent(setting, undefined, arrived("born")).decision;
    return moments.map((now) => {
      const decision = decideDue({ ...setting, now }, actor as Actor);
      actor = decision.actor;
      return decision.entries.map((entry) =>
        entry.kind === "timer" ? `${entry.timer} ${entry.outcome} ${entry.dueAt}` : entry.kind,
      );
    });
  }

  test("fire in the order of their due times, and only once", () => {
    const machines = ticking({
      entry: [30, 10, 20].map((delay) => raise({ type: "ring" }, { delay, id: `t${delay}` })),
      on: { ring: { actions: "tell" } },
    });
    expect(due(machines, [9, 10, 5_000, 6_000])).toEqual([
      [],
      ["t10 applied 10"],
      ["t20 applied 20", "t30 applied 30"],
      [],
    ]);
  });

  test("that a fired one sets and are due as well fire in the same decision, within a bound", () => {
    const machines = ticking({
      entry: raise({ type: "ring" }, { delay: 0, id: "again" }),
      on: { ring: { actions: raise({ type: "ring" }, { delay: 0, id: "again" }) } },
    });
    const [first, second] = due(machines, [0, 0], 3);
    expect(first).toHaveLength(3);
    expect(second).toHaveLength(3);
  });

  test("that a fired one cancels do not fire", () => {
    const machines = ticking({
      initial: "a",
      states: { a: { after: { 10: "b", 20: "c" } }, b: {}, c: {} },
    });
    expect(due(machines, [5_000])).toEqual([["xstate.after.10.(machine).a applied 10"]]);
  });

  test("whose guard says no are dropped, and the journal says so", () => {
    const machines = ticking({
      initial: "a",
      states: { a: { after: { 10: { target: "b", guard: () => false } } }, b: {} },
    });
    expect(due(machines, [10, 20])).toEqual([["xstate.after.10.(machine).a dropped 10"], []]);
  });

  test("on which the machine fails are kept, tried again later, and told to a person", () => {
    const machines = ticking({
      initial: "a",
      states: {
        a: { after: { 10: { target: "b", actions: assign(() => raiseError()) } } },
        b: {},
      },
    });
    const setting = { machines, limits: LIMITS, now: 0 };
    const born = decideEvent(setting, undefined, arrived("born"));
    const first = decideDue({ ...setting, now: 10 }, born.decision.actor as Actor);
    const timer = "xstate.after.10.(machine).a";
    expect(first.deadTimers).toMatchObject([{ timer, problem: { code: "MACHINE_FAILED" } }]);
    expect(first.entries).toMatchObject([{ outcome: "failed", dueAt: 10, until: 60_010 }]);
    const second = decideDue({ ...setting, now: 60_010 }, first.actor as Actor);
    expect(second.entries).toMatchObject([{ outcome: "failed", dueAt: 60_010, until: 180_010 }]);
    expect(second.actor?.snapshot?.value).toBe("a");

    const entries = [born, { decision: first }, { decision: second }].flatMap(
      ({ decision }) => decision.entries,
    );
    expect(encodeActor(replayAll(machines, "item-1", entries) as Actor)).toBe(
      encodeActor(second.actor as Actor),
    );
  });

  test("let early events take their turn", () => {
    const machines = ticking({
      initial: "a",
      states: { a: { after: { 10: "b" } }, b: { on: { go: "c" } }, c: {} },
    });
    const setting = { machines, limits: LIMITS, now: 0 };
    const born = decideEvent(setting, undefined, arrived("born")).decision.actor;
    const waiting = decideEvent(setting, born, arrived("go")).decision.actor as Actor;
    expect(decideDue({ ...setting, now: 10 }, waiting).actor?.snapshot?.value).toBe("c");
  });
});

test("effects carry item, revision and place as their id, their lane, and when the fact happened", () => {
  const machines = registerMachines([
    smallDefinition(WALK, TYPES, {
      effects: { tell: { params: ANY_DATA, channel: "marketplace", isUrgent: () => true } },
    }),
  ]);
  const setting = { machines, limits: LIMITS, now: 5_000 };
  const { actor } = decideEvent(setting, undefined, arrived("born")).decision;
  const noted = decideEvent(setting, actor, arrived("note")).decision;
  expect(noted.effects).toEqual([
    {
      id: "item-1:2:0",
      name: "tell",
      params: { what: "note" },
      channel: "marketplace.acme",
      isUrgent: true,
      at: 5_000,
      occurredAt: "2026-03-02T09:00:00.000Z",
    },
  ]);
  expect(noted.entries).toMatchObject([
    { change: { effects: [{ id: "item-1:2:0", name: "tell" }] } },
  ]);
});

test("two machines that cannot be told apart are refused", () => {
  const chart = createMachine({ initial: "a", states: { a: {} } });
  const one = smallDefinition(chart, []);
  expect(() => registerMachines([one, one])).toThrow(/cannot be told apart/u);
  expect(() => registerMachines([one, { ...one, id: "other" }])).toThrow(/cannot be told apart/u);
  expect(registerMachines([one, { ...one, version: "2" }]).all).toHaveLength(2);
});
