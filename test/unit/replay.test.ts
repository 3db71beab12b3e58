import fc from "fast-check";
import { DEFAULT_CLOCKS } from "../../src/sla/clockwork.ts";
import { describe, expect, test } from "vitest";
import { assign, createMachine, setup } from "xstate";
import type { EventType } from "../../machines/order-item/events.ts";
import { definitions } from "../../machines/registry.ts";
import { type Actor, decodeActor, dueAt, encodeActor } from "../../src/core/actor.ts";
import type { ArrivedEvent } from "../../src/core/arrival.ts";
import { decideDue, decideEvent } from "../../src/core/decide.ts";
import type { Decision } from "../../src/core/decision.ts";
import type { DecisionEntry, JournalEntry } from "../../src/core/journal.ts";
import { type Machines, registerMachines } from "../../src/core/machine.ts";
import { readEvent } from "../../src/core/read-event.ts";
import { replay, replayAll } from "../../src/core/replay.ts";
import { orderEvent } from "../support/order-item-events.ts";
import { arrived, LIMITS, smallDefinition } from "../support/small-machine.ts";

/** Seconds of a busy machine, shrinking included. */
const TIMEOUT_MS = 60_000;

const HOUR_MS = 3_600_000;
const START_MS = Date.parse("2026-03-02T09:00:00Z");

/** A store in memory: what it holds has been through JSON, as with the real one. */
class Shelf {
  text: string | undefined;
  entries: DecisionEntry[] = [];
  readonly texts = new Map<number, string>();
  readonly machines: Machines;
  now = START_MS;

  constructor(machines: Machines) {
    this.machines = machines;
  }

  get actor(): Actor | undefined {
    return this.text === undefined ? undefined : decodeActor("item-1", this.text);
  }

  get setting() {
    return {
      machines: this.machines,
      limits: { ...LIMITS, parkedForMs: 9 * HOUR_MS },
      clocks: DEFAULT_CLOCKS,
      now: this.now,
    };
  }

  tell(event: ArrivedEvent): void {
    this.#commit(decideEvent(this.setting, this.actor, event).decision);
  }

  due(): void {
    const { actor } = this;
    if (actor !== undefined) this.#commit(decideDue(this.setting, actor));
  }

  #commit({ actor, entries }: Decision): void {
    this.text = actor && encodeActor(actor);
    // An item that nobody announced is forgotten with its journal.
    if (actor === undefined) {
      this.entries = [];
      this.texts.clear();
      return;
    }
    this.entries.push(...(JSON.parse(JSON.stringify(entries)) as DecisionEntry[]));
    this.texts.set(actor.revision, encodeActor(actor));
  }
}

const WALK: readonly EventType[] = [
  "order.received",
  "order.submitted",
  "order.accepted",
  "appointment.scheduled",
  "work.started",
  "work.completed",
  "service.activated",
];
const ASIDE: readonly EventType[] = [
  "order.rejected",
  "appointment.rescheduled",
  "work.failed",
  "order.cancelled",
  "order.noted",
  "status.observed",
  "wait.started",
  "wait.ended",
  "cancellation.denied",
];

const told = fc.record({
  kind: fc.constant("event" as const),
  type: fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...WALK) }, fc.constantFrom(...ASIDE)),
  source: fc.constantFrom("crm/a", "crm/a", "crm/b"),
  order: fc.constantFrom("none", "none", "text", "Integer"),
  ahead: fc.constantFrom(1, 1, 1, 2, 3, 0),
  minutes: fc.integer({ min: -30, max: 60 }),
  account: fc.constantFrom(undefined, undefined, undefined, "default", "other"),
  isWhole: fc.constantFrom(true, true, true, true, false),
  status: fc.constantFrom("accepted", "scheduled", "in_progress", "completed", "active", "failed"),
});
const waited = fc.record({
  kind: fc.constant("due" as const),
  hours: fc.constantFrom(0, 1, 5, 30, 200),
});
type Told = typeof told extends fc.Arbitrary<infer Shape> ? Shape : never;

function eventOf(each: Told, counts: Map<string, number>): ArrivedEvent {
  const { type, source, order, ahead, minutes, account, isWhole, status } = each;
  const number = (counts.get(source) ?? 0) + ahead;
  counts.set(source, number);
  // Two sources may well use the same id.
  const uses = (counts.get(`id ${source}`) ?? 0) + 1;
  counts.set(`id ${source}`, uses);
  const observed = type === "status.observed" ? { status } : {};
  const { data } = orderEvent(type, { data: observed });
  const read = readEvent(
    {
      specversion: "1.0",
      id: `${uses}`,
      source,
      type,
      subject: "item-1",
      time: new Date(START_MS + uses * 60_000 + minutes * 60_000).toISOString(),
      data: isWhole ? data : { ...data, surprise: true },
      ...(order !== "none" && { sequence: `${number}` }),
      ...(order === "Integer" && { sequencetype: "Integer" }),
      ...(account !== undefined && { account }),
    },
    START_MS,
  );
  if (read.result === "event") return read.event;
  throw new Error(read.problem.message);
}

function liveThrough(
  shelf: Shelf,
  isAnnounced: boolean,
  story: readonly (Told | { readonly kind: "due"; readonly hours: number })[],
): Shelf {
  const counts = new Map<string, number>();
  const { data } = orderEvent("order.received");
  if (isAnnounced) shelf.tell(arrived("order.received", { source: "market", data }));
  for (const each of story) {
    shelf.now += 60_000;
    if (each.kind === "event") {
      shelf.tell(eventOf(each, counts));
    } else {
      shelf.now += each.hours * HOUR_MS;
      shelf.due();
    }
  }
  return shelf;
}

function outcomeOf(entry: DecisionEntry): string {
  if (entry.kind === "expired" || entry.kind === "clocks") return entry.kind;
  const isLater = entry.kind === "event" && entry.retried === true;
  return `${entry.kind} ${entry.outcome}${isLater ? " later" : ""}`;
}

describe("whatever happens to an order item", () => {
  const machines = registerMachines(
    definitions({
      orderItem: { noteUpdates: true, failFromAccepted: true, rescheduleFromWork: true },
    }),
  );

  const steps = fc.array(fc.oneof({ weight: 5, arbitrary: told }, waited), {
    minLength: 5,
    maxLength: 40,
  });

  test(
    "its journal replays to the stored bytes, at every revision",
    { timeout: TIMEOUT_MS },
    () => {
      const seen = new Set<string>();
      fc.assert(
        fc.property(fc.boolean(), steps, (isAnnounced, story) => {
          const shelf = liveThrough(new Shelf(machines), isAnnounced, story);
          const replayed = new Map<number, string>();
          for (const actor of replay(machines, "item-1", shelf.entries)) {
            replayed.set(actor.revision, encodeActor(actor));
          }
          for (const [revision, text] of shelf.texts) expect(replayed.get(revision)).toBe(text);
          expect([...replayed.keys()]).toEqual(shelf.entries.map(({ revision }) => revision));
          for (const entry of shelf.entries) seen.add(outcomeOf(entry));
        }),
        { numRuns: 200 },
      );
      // The stories are worth something: what can happen does.
      const happens = [
        "event applied",
        "event applied later",
        "event parked",
        "event rejected",
        "event stale",
        "expired",
        "clocks",
      ];
      expect([...seen]).toEqual(expect.arrayContaining(happens));
    },
  );

  test("deliveries in the journal are no decisions, and replay passes over them", () => {
    const shelf = new Shelf(machines);
    shelf.tell(arrived("order.received", { data: orderEvent("order.received").data }));
    const delivery: JournalEntry = {
      kind: "delivery",
      at: 0,
      effect: "x",
      name: "pushStatus",
      outcome: "delivered",
      attempt: 1,
    };
    const last = replayAll(machines, "item-1", [delivery, ...shelf.entries, delivery]);
    expect(last && encodeActor(last)).toBe(shelf.text);
  });
});

describe("a journal that was tampered with does not replay", () => {
  const machine = createMachine({
    initial: "a",
    states: { a: { on: { go: "b" } }, b: { after: { 1000: "c" } }, c: { on: { go: "a" } } },
  });
  const machines = registerMachines([smallDefinition(machine, ["go", "stay"])]);
  const shelf = new Shelf(machines);
  shelf.tell(arrived("born"));
  shelf.tell(arrived("go"));
  shelf.tell(arrived("stay"));
  shelf.now += 1000;
  shelf.due();
  const { entries } = shelf;
  const change = (index: number, over: object): JournalEntry[] =>
    entries.map((entry, at) => (at === index ? ({ ...entry, ...over } as DecisionEntry) : entry));

  test("untouched, it does", () => {
    const last = replayAll(machines, "item-1", entries);
    expect(last && encodeActor(last)).toBe(shelf.text);
    expect(entries.map(({ kind }) => kind)).toEqual(["event", "event", "event", "timer"]);
  });

  test.each<[string, JournalEntry[]]>([
    ["an entry was taken out", entries.toSpliced(1, 1)],
    ["an entry was written twice", entries.toSpliced(1, 0, entries[1] as DecisionEntry)],
    ["two entries changed places", [entries[0], entries[2], entries[1]] as DecisionEntry[]],
    ["another outcome was written", change(1, { outcome: "rejected" })],
    ["a refusal was made an application", change(2, { outcome: "applied" })],
    ["another event was written", change(1, { event: arrived("stay") })],
    ["another status was written", change(1, { change: { status: "c", taken: [] } })],
    ["another revision was written", change(1, { revision: 7 })],
    ["a timer fired by another token", change(3, { token: "9.0" })],
    ["a timer fired that was never set", change(3, { timer: "other" })],
    [
      "an event expired that never waited",
      [
        ...entries,
        {
          kind: "expired",
          event: arrived("go"),
          problem: { code: "PARKED_EXPIRED", message: "" },
          revision: 5,
          at: 0,
        },
      ],
    ],
  ])("because %s", (_what, tampered) => {
    expect(() => replayAll(machines, "item-1", tampered)).toThrow(/^REPLAY_MISMATCH: /);
  });

  test("nor does one whose machine was changed without a new version, or is not deployed", () => {
    const changed = createMachine({
      initial: "a",
      states: { a: { on: { go: "c" } }, b: {}, c: {} },
    });
    const other = registerMachines([smallDefinition(changed, ["go", "stay"])]);
    expect(() => replayAll(other, "item-1", entries)).toThrow(/^REPLAY_MISMATCH: /);
    const newer = registerMachines([smallDefinition(machine, ["go", "stay"], { version: "2" })]);
    expect(() => replayAll(newer, "item-1", entries)).toThrow(/REPLAY_MISMATCH|MACHINE_UNKNOWN/);
  });
});

test("an actor keeps the machine version that it was begun with, and replays by it", () => {
  const build = (next: string) =>
    createMachine({ initial: "a", states: { a: { on: { go: next } }, b: {}, c: {} } });
  const old = smallDefinition(build("b"), ["go"], { version: "1" });
  const before = registerMachines([old]);
  const shelf = new Shelf(before);
  shelf.tell(arrived("born"));
  shelf.tell(arrived("go"));
  const after = registerMachines([smallDefinition(build("c"), ["go"], { version: "2" }), old]);
  const last = replayAll(after, "item-1", shelf.entries);
  expect(last && encodeActor(last)).toBe(shelf.text);
});

test("two sources may use one id: the event that expires is found by both", () => {
  const machine = createMachine({
    initial: "a",
    states: { a: { on: { go: "b" } }, b: { on: { late: "a" } } },
  });
  const machines = registerMachines([smallDefinition(machine, ["go", "late"])]);
  const shelf = new Shelf(machines);
  shelf.tell(arrived("born"));
  shelf.tell(arrived("late", { id: "1", source: "a" }));
  shelf.now += 1000;
  shelf.tell(arrived("late", { id: "1", source: "b" }));
  shelf.now += 9 * HOUR_MS - 1000;
  shelf.due();
  const last = replayAll(machines, "item-1", shelf.entries);
  expect(last && encodeActor(last)).toBe(shelf.text);
  expect(last?.parked.map(({ event }) => event.source)).toEqual(["b"]);
});

test("a timer whose guard said no replays as dropped", () => {
  const machine = createMachine({
    initial: "a",
    states: { a: { after: { 10: { target: "b", guard: () => false } } }, b: {} },
  });
  const shelf = new Shelf(registerMachines([smallDefinition(machine, [])]));
  shelf.tell(arrived("born"));
  shelf.now += 10;
  shelf.due();
  expect(shelf.entries.map(outcomeOf)).toEqual(["event applied", "timer dropped"]);
  const last = replayAll(shelf.machines, "item-1", shelf.entries);
  expect(last && encodeActor(last)).toBe(shelf.text);
});

test("a context that loses a key to undefined and gets it back replays to the same bytes", () => {
  const machine = setup({
    actions: { drop: assign({ first: undefined }), fill: assign({ first: 1 }) },
  }).createMachine({
    context: { first: 1, second: 2 },
    on: { drop: { actions: "drop" }, fill: { actions: "fill" } },
  });
  const machines = registerMachines([smallDefinition(machine, ["drop", "fill"])]);
  const shelf = new Shelf(machines);
  for (const type of ["born", "drop", "fill", "drop", "fill"]) shelf.tell(arrived(type));
  const last = replayAll(machines, "item-1", shelf.entries);
  expect(last && encodeActor(last)).toBe(shelf.text);
});

describe("an actor's text", () => {
  const json = fc.jsonValue({ maxDepth: 2 });
  const actorArbitrary = fc.record(
    {
      id: fc.constant("item-1"),
      revision: fc.nat(),
      machine: fc.string(),
      version: fc.string(),
      snapshot: fc.record({
        status: fc.constantFrom("active", "done"),
        value: json,
        context: fc.dictionary(fc.string(), json),
      }),
      timers: fc.dictionary(
        fc.string(),
        fc.record({ dueAt: fc.nat(), token: fc.string(), event: fc.record({ type: fc.string() }) }),
      ),
      sources: fc.dictionary(fc.string(), fc.record({ time: fc.nat(), sequence: fc.string() })),
      parked: fc.array(
        fc.record({
          event: fc.constant(arrived("x")),
          reason: fc.constantFrom("early", "gap"),
          until: fc.nat(),
        }),
      ),
    },
    { requiredKeys: ["id", "revision", "machine", "version", "timers", "sources", "parked"] },
  ) as fc.Arbitrary<Actor>;

  test("reads back as the same actor, and is written the same again", () => {
    fc.assert(
      fc.property(actorArbitrary, (actor) => {
        const text = encodeActor(actor);
        const read = decodeActor("item-1", text);
        expect(read).toEqual(JSON.parse(JSON.stringify(actor)));
        expect(encodeActor(read)).toBe(text);
        expect(text.startsWith(`${actor.revision} {`)).toBe(true);
      }),
    );
  });

  test.each([
    "",
    "nonsense",
    "1",
    "1 {}",
    'x {"machine":"m","version":"1"}',
    '1 {"machine"',
    "1 null",
  ])("%j is refused as corrupt", (text) => {
    expect(() => decodeActor("item-1", text)).toThrow(/^STORE_CORRUPT: .*item-1/);
  });

  test("knows when time alone changes the actor next: a timer or the end of a wait", () => {
    const idle: Actor = {
      id: "i",
      revision: 1,
      machine: "m",
      version: "1",
      timers: {},
      sources: {},
      parked: [],
    };
    const event = { type: "x" };
    expect(dueAt(idle)).toBeUndefined();
    expect(
      dueAt({
        ...idle,
        timers: { a: { dueAt: 9, token: "", event }, b: { dueAt: 7, token: "", event } },
      }),
    ).toBe(7);
    expect(dueAt({ ...idle, parked: [{ event: arrived("x"), reason: "early", until: 5 }] })).toBe(
      5,
    );
  });
});
