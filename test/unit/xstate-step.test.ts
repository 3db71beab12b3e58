import { describe, expect, test } from "vitest";
import {
  assign,
  cancel,
  createMachine,
  emit,
  enqueueActions,
  fromPromise,
  log,
  raise,
  sendTo,
  setup,
  spawnChild,
} from "xstate";
import { z } from "zod";
import { type Advance, fire } from "../../src/core/advance.ts";
import { registerMachine } from "../../src/core/machine.ts";
import { readEvent } from "../../src/core/read-event.ts";
import { initialStep, type Snapshot, type Step, step } from "../../src/core/xstate-step.ts";
import {
  appliedActor,
  beginAt,
  bornAt,
  send,
  smallDefinition,
  smallMachine,
} from "../support/small-machine.ts";

const DAY_MS = 86_400_000;

function moved(taken: Step): Extract<Step, { result: "moved" }> {
  if (taken.result === "moved") return taken;
  throw new Error(JSON.stringify(taken));
}

function problemOf(advanced: Advance) {
  return advanced.outcome === "applied" ? undefined : advanced.problem;
}

describe("a machine that has ended", () => {
  const machine = createMachine({
    initial: "open",
    on: { late: { actions: { type: "tell" } } },
    states: { open: { on: { end: "ended" } }, ended: { type: "final" } },
  });

  test("would still fire a root-level event in XState, and takes nothing in the engine", () => {
    const small = smallMachine(machine, ["end", "late"]);
    const ended = appliedActor(send(small, bornAt(small), { type: "end" }));
    expect(step(machine, ended.snapshot, { type: "late" })).toMatchObject({
      result: "moved",
      effects: [{ kind: "action", name: "tell" }],
    });
    expect(send(small, ended, { type: "late" })).toMatchObject({
      outcome: "final",
      problem: { code: "ITEM_FINAL", allowed: [] },
    });
  });

  test("keeps no timer, whatever its states had armed", () => {
    const armed = createMachine({
      initial: "open",
      states: {
        open: { entry: raise({ type: "nag" }, { delay: 5, id: "nag" }), on: { end: "end" } },
        end: { type: "final" },
      },
    });
    const small = smallMachine(armed, ["end", "nag"]);
    const open = bornAt(small);
    expect(Object.keys(open.timers)).toEqual(["nag"]);
    expect(appliedActor(send(small, open, { type: "end" })).timers).toEqual({});
  });
});

describe("timers", () => {
  const waiting = createMachine({
    initial: "a",
    states: {
      a: { after: { 1000: "c" }, on: { go: "b", again: { target: "a", reenter: true } } },
      b: { on: { back: "a" } },
      c: {},
    },
  });
  const small = smallMachine(waiting, ["go", "back", "again"]);
  const TIMER = "xstate.after.1000.(machine).a";

  test("of `after` are set on entry, with an absolute due time, and cancelled on exit", () => {
    const a = bornAt(small, 50_000);
    expect(a.timers).toEqual({ [TIMER]: { dueAt: 51_000, token: "1.0" } });
    expect(appliedActor(send(small, a, { type: "go" })).timers).toEqual({});
  });

  test("of an earlier visit are stale by their token, though XState's event is the same", () => {
    const first = bornAt(small);
    const away = appliedActor(send(small, { ...first, revision: 1 }, { type: "go" }));
    const again = appliedActor(send(small, { ...away, revision: 2 }, { type: "back", at: 500 }));
    const token = first.timers[TIMER]?.token ?? "";
    expect(again.timers[TIMER]).toMatchObject({ dueAt: 1_500, token: "3.0" });
    expect(fire(small, again, { id: TIMER, token, at: 1_000 })).toMatchObject({
      outcome: "stale",
      problem: { code: "EVENT_STALE" },
    });
    const due = fire(small, again, { id: TIMER, token: "3.0", at: 1_500 });
    expect(appliedActor(due)).toMatchObject({ snapshot: { value: "c" }, timers: {} });
  });

  test("are set anew when their state is entered again", () => {
    const first = bornAt(small);
    const again = appliedActor(send(small, { ...first, revision: 1 }, { type: "again", at: 700 }));
    expect(again.timers[TIMER]).toMatchObject({ dueAt: 1_700, token: "2.0" });
  });

  test("above 24.8 days, where setTimeout overflows, are kept to the millisecond", () => {
    const long = createMachine({
      initial: "a",
      states: { a: { after: { [400 * DAY_MS + 1]: "b" } }, b: {} },
    });
    const [timer] = Object.values(bornAt(smallMachine(long, []), 7).timers);
    expect(timer?.dueAt).toBe(400 * DAY_MS + 8);
  });

  test("an undelayed raise is listed by XState as well and becomes no timer", () => {
    const raising = createMachine({
      initial: "a",
      states: { a: { entry: raise({ type: "next" }), on: { next: "b" } }, b: {} },
    });
    const born = moved(initialStep(raising, {}));
    expect(born.snapshot.value).toBe("b");
    expect(born.effects).toEqual([]);
  });

  test("`cancel` of a timer that never was is harmless", () => {
    const cancelling = createMachine({ entry: cancel("nothing") });
    expect(moved(initialStep(cancelling, {})).effects).toEqual([
      { kind: "timer.cancel", id: "nothing" },
    ]);
    expect(bornAt(smallMachine(cancelling, [])).timers).toEqual({});
  });

  test.each([
    ["NaN", Number.NaN],
    ["Infinity", Number.POSITIVE_INFINITY],
    ["undefined", undefined as unknown as number],
  ])("a delay that comes out as %s fails the step instead of firing at once", (_name, delay) => {
    const odd = setup({ delays: { odd: () => delay } }).createMachine({
      initial: "a",
      states: { a: { after: { odd: "b" } }, b: {} },
    });
    expect(beginAt(smallMachine(odd, []))).toMatchObject({
      outcome: "error",
      problem: { code: "MACHINE_FAILED", message: expect.stringContaining("no time in ms") },
    });
  });

  test("an event that waits in a timer must survive JSON", () => {
    const dated = createMachine({
      entry: raise({ type: "x", on: new Date(0) } as { type: string }, { delay: 5 }),
    });
    expect(problemOf(beginAt(smallMachine(dated, [])))?.message).toContain("is a Date");
  });
});

describe("a step that cannot be taken", () => {
  const failing = setup({
    guards: {
      broken: () => {
        throw new Error("guard fell over");
      },
    },
    actions: {
      broken: assign(() => {
        throw new Error("assign fell over");
      }),
      tell: (_args, _params: object) => undefined,
    },
  }).createMachine({
    initial: "a",
    states: {
      a: {
        on: {
          guarded: { target: "b", guard: "broken" },
          assigned: { target: "b", actions: "broken" },
          params: {
            target: "b",
            actions: {
              type: "tell",
              params: () => {
                throw new Error("params fell over");
              },
            },
          },
          denied: { target: "b", guard: () => false },
        },
      },
      b: { on: { later: "a" } },
    },
  });
  const types = ["guarded", "assigned", "params", "denied", "later"];
  const small = smallMachine(failing, types);

  test.each([
    ["a guard", "guarded", "guard fell over"],
    ["an assign", "assigned", "assign fell over"],
    ["a params function", "params", "params fell over"],
  ])("because %s threw is an error, and the actor is as it was", (_what, type, reason) => {
    const before = bornAt(small);
    const text = JSON.stringify(before);
    expect(send(small, before, { type })).toMatchObject({
      outcome: "error",
      problem: { code: "MACHINE_FAILED", message: expect.stringContaining(reason) },
    });
    expect(JSON.stringify(before)).toBe(text);
  });

  test("because of an error in the initial transition is failed: XState only sets a status", () => {
    const stillborn = createMachine({
      context: () => {
        throw new Error("no context");
      },
    });
    expect(initialStep(stillborn, {})).toEqual({ result: "failed", reason: "no context" });
    expect(beginAt(smallMachine(stillborn, []))).toMatchObject({ outcome: "error" });
  });

  test("because nobody takes the event, or every guard said no, is unhandled", () => {
    const { snapshot } = bornAt(small);
    expect(step(failing, snapshot, { type: "nobody" })).toEqual({ result: "unhandled" });
    expect(step(failing, snapshot, { type: "denied" })).toEqual({ result: "unhandled" });
  });

  test.each([
    ["always", { a: { always: "b" }, b: { always: "a" } }],
    [
      "raise",
      { a: { entry: raise({ type: "x" }), on: { x: { target: "a", reenter: true } } }, b: {} },
    ],
  ])("because %s goes round for ever fails within a bound", (_what, states) => {
    const looping = createMachine({ initial: "a", states } as Parameters<typeof createMachine>[0]);
    expect(initialStep(looping, {})).toMatchObject({
      result: "failed",
      reason: expect.stringContaining("Infinite loop"),
    });
  });

  test("because it names an action that enqueueActions made and nobody declared is refused", () => {
    const undeclared = createMachine({
      entry: enqueueActions(({ enqueue }) => enqueue({ type: "smuggled" })),
    });
    const problem = problemOf(beginAt(smallMachine(undeclared, [])));
    expect(problem?.message).toContain(`action "smuggled" is not declared in effects`);
  });

  test("because enqueueActions made an inline function or a child is refused", () => {
    const inline = createMachine({
      entry: enqueueActions(({ enqueue }) => enqueue(() => undefined)),
    });
    expect(problemOf(beginAt(smallMachine(inline, [])))?.message).toContain(`"(anonymous)"`);
    const child = fromPromise(() => Promise.resolve());
    const spawning = createMachine({
      entry: enqueueActions(({ enqueue }) => enqueue.spawnChild(child)),
    });
    expect(beginAt(smallMachine(spawning, []))).toMatchObject({ outcome: "error" });
  });

  test("because an effect's params do not fit their schema is an error", () => {
    const telling = createMachine({ entry: { type: "tell", params: { who: 7 } } });
    const params = z.object({ who: z.string() });
    const strict = smallMachine(telling, [], {
      effects: { tell: { params, channel: "operator" } },
    });
    expect(problemOf(beginAt(strict))?.message).toContain("params of tell: who:");
  });
});

describe("a context that JSON would change", () => {
  class Money {
    readonly cents = 1;
  }
  test.each([
    ["a Date", new Date(0)],
    ["a Map", new Map()],
    ["NaN", Number.NaN],
    ["Infinity", Number.POSITIVE_INFINITY],
    ["a function", () => undefined],
    ["a bigint", 1n],
    ["an instance of a class", new Money()],
    ["undefined in a list", [undefined]],
    ["a hole in a list", Array(1)],
  ])("by %s is refused at the first step", (_what, value) => {
    const machine = createMachine({ context: { deep: { value } } });
    expect(beginAt(smallMachine(machine, []))).toMatchObject({
      outcome: "error",
      problem: { code: "MACHINE_FAILED", message: expect.stringContaining("context.deep.value") },
    });
  });

  test("by holding itself, or by nesting without end, is refused at the first step", () => {
    const circle: { self?: unknown } = {};
    circle.self = circle;
    const nest = (levels: number): unknown => (levels === 0 ? 1 : [nest(levels - 1)]);
    for (const value of [circle, nest(200)]) {
      const machine = createMachine({ context: { value } });
      expect(beginAt(smallMachine(machine, []))).toMatchObject({ outcome: "error" });
    }
  });

  test("by a spawned actor is refused: a reference would be stored, and no actor", () => {
    const child = fromPromise(() => Promise.resolve());
    const machine = createMachine({ context: ({ spawn }) => ({ ref: spawn(child, { id: "x" }) }) });
    expect(beginAt(smallMachine(machine, []))).toMatchObject({ outcome: "error" });
  });

  test("by undefined is taken, and stored as absent: a key that comes back keeps its place", () => {
    const machine = setup({ actions: { fill: assign({ first: 1 }) } }).createMachine({
      context: { first: undefined, second: 2 },
      on: { fill: { actions: "fill" } },
    });
    const small = smallMachine(machine, ["fill"]);
    const born = bornAt(small);
    const reread = JSON.parse(JSON.stringify(born)) as typeof born;
    const contexts = [born, reread].map((actor) =>
      JSON.stringify(appliedActor(send(small, actor, { type: "fill" })).snapshot),
    );
    expect(contexts[0]).toBe(contexts[1]);
  });
});

describe("registration refuses", () => {
  const child = fromPromise(() => Promise.resolve());
  const built = setup({
    actors: { child },
    actions: { tell: () => undefined, named: sendTo("child", { type: "x" }) },
  });

  test.each([
    ["an inline function", createMachine({ entry: () => undefined }), "inline function"],
    [
      "an inline function on an initial transition",
      createMachine({
        initial: { target: "a", actions: () => undefined },
        states: { a: {} },
      } as never),
      "inline function",
    ],
    [
      "an inline function on always",
      createMachine({ always: { guard: () => false, actions: () => undefined } }),
      "inline function",
    ],
    ["an action that is not declared", createMachine({ exit: "untold" }), `action "untold"`],
    ["invoke", createMachine({ invoke: { src: child } }), "invokes an actor"],
    ["spawnChild", built.createMachine({ entry: spawnChild("child") }), "xstate.spawnChild"],
    [
      "sendTo",
      createMachine({ on: { go: { actions: sendTo("x", { type: "x" }) } } }),
      "xstate.sendTo",
    ],
    ["sendTo under a name", built.createMachine({ entry: "named" }), "xstate.sendTo"],
    ["a wildcard", createMachine({ on: { "go.*": {} } }), `"go.*"`],
    ["a delay without a definition", createMachine({ after: { soon: {} } }), `delay "soon"`],
  ])("%s", (_what, machine, reason) => {
    expect(() => registerMachine(smallDefinition(machine, ["go"]))).toThrow(reason);
  });

  test("a birth without a schema and reserved event types, with all faults at once", () => {
    const definition = smallDefinition(createMachine({}), [], {
      birth: "unknown",
      events: { "xstate.done": z.any(), "orderwright.x": z.any() },
    });
    expect(() => registerMachine(definition)).toThrow(
      /MACHINE_INVALID.*"unknown".*"xstate\.done".*"orderwright\.x"/,
    );
  });

  test("nothing of what is pure: assign, raise, cancel, emit, log, enqueueActions", () => {
    const pure = createMachine({
      entry: [
        assign({}),
        raise({ type: "x" }),
        cancel("x"),
        emit({ type: "x" }),
        log("x"),
        enqueueActions(() => undefined),
        "tell",
      ],
    });
    expect(() => smallMachine(pure, [])).not.toThrow();
  });
});

test.each(["xstate.after.1000.a", "xstate.done.actor.job", "xstate.route", "xstate.init"])(
  "%s is XState's own and is refused at the border",
  (type) => {
    const event = { specversion: "1.0", id: "1", source: "s", subject: "i", type };
    expect(readEvent(event, 0)).toMatchObject({
      result: "unreadable",
      problem: { code: "EVENT_TYPE_RESERVED" },
    });
  },
);

describe("a step tells", () => {
  test("its actions in the order exit, transition, entry, in document order", () => {
    const tell = (place: string) => ({ type: "tell", params: { place } });
    const machine = createMachine({
      initial: "a",
      states: {
        a: {
          exit: tell("exit a"),
          initial: "inner",
          states: { inner: { exit: tell("exit inner") } },
          on: { go: { target: "b", actions: [tell("first"), tell("second")] } },
        },
        b: {
          entry: tell("enter b"),
          initial: "inner",
          states: { inner: { entry: tell("enter inner") } },
        },
      },
    });
    const small = smallMachine(machine, ["go"]);
    const gone = send(small, bornAt(small), { type: "go" });
    const places =
      gone.outcome === "applied" ? gone.effects.map(({ params }) => params["place"]) : [];
    expect(places).toEqual(["exit inner", "exit a", "first", "second", "enter b", "enter inner"]);
  });

  test("re-entry cancels the old timer before it sets the new one", () => {
    const machine = createMachine({
      initial: "a",
      states: { a: { after: { 5: "b" }, on: { again: { target: "a", reenter: true } } }, b: {} },
    });
    const { snapshot } = moved(initialStep(machine, {}));
    const kinds = moved(step(machine, snapshot, { type: "again" })).effects.map(({ kind }) => kind);
    expect(kinds).toEqual(["timer.cancel", "timer.set"]);
  });

  test("what was emitted and logged as notes, which are delivered nowhere", () => {
    const machine = createMachine({ entry: [emit({ type: "ping" }), log("said", "label")] });
    expect(beginAt(smallMachine(machine, []))).toMatchObject({
      effects: [],
      notes: [{ emitted: { type: "ping" } }, { logged: "said", label: "label" }],
    });
  });

  test("which transitions were taken, those of raised events and always among them", () => {
    const machine = createMachine({
      id: "m",
      initial: "a",
      states: {
        a: { on: { go: { target: "b", actions: raise({ type: "inner" }) } } },
        b: { on: { inner: "c" } },
        c: { always: "d" },
        d: {},
      },
    });
    const { snapshot } = moved(initialStep(machine, {}));
    expect(moved(step(machine, snapshot, { type: "go" })).taken).toEqual([
      { event: "go", source: "m.a", targets: ["m.b"] },
      { event: "inner", source: "m.b", targets: ["m.c"] },
      { event: "inner", source: "m.c", targets: ["m.d"] },
    ]);
  });
});

test("parallel states and both kinds of history live on through JSON", () => {
  const machine = createMachine({
    initial: "on",
    states: {
      on: {
        type: "parallel",
        on: { off: "off" },
        states: {
          left: { initial: "a", states: { a: { on: { left: "b" } }, b: {} } },
          right: {
            initial: "a",
            states: {
              a: { on: { right: "b" } },
              b: { initial: "x", states: { x: { on: { deeper: "y" } }, y: {} } },
            },
          },
          shallow: { type: "history", history: "shallow" },
          deep: { type: "history", history: "deep" },
        },
      },
      off: { on: { deep: "on.deep", shallow: "on.shallow" } },
    },
  });
  const stored = (snapshot: Snapshot): Snapshot => JSON.parse(JSON.stringify(snapshot)) as Snapshot;
  const after = (types: readonly string[]): unknown =>
    types.reduce(
      (snapshot, type) => stored(moved(step(machine, snapshot, { type })).snapshot),
      stored(moved(initialStep(machine, {})).snapshot),
    ).value;
  const before = ["left", "right", "deeper", "off"];
  expect(after([...before, "deep"])).toEqual({ on: { left: "b", right: { b: "y" } } });
  expect(after([...before, "shallow"])).toEqual({ on: { left: "a", right: "a" } });
});
