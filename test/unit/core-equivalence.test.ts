/**
 * The engine's step against XState's own public functions, which build a live actor on every call. The
 * engine's side is stored and read back as JSON after every event, XState's never is: so equality
 * also says that storing an actor changes nothing of its future.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type AnyMachineSnapshot,
  type AnyStateMachine,
  getInitialMicrosteps,
  getMicrosteps,
  initialTransition,
  transition,
} from "xstate";
import { orderItemDefinition } from "../../machines/order-item/definition.ts";
import { type EventType, eventSchemas } from "../../machines/order-item/events.ts";
import type { OrderItemOptions } from "../../machines/order-item/options.ts";
import type { JsonObject } from "../../src/core/event.ts";
import { initialStep, type Snapshot, type Step, step } from "../../src/core/xstate-step.ts";
import { machineEvent } from "../support/order-item-events.ts";
import { CHART_EVENTS, chartOf, randomChart } from "../support/random-chart.ts";

/** Seconds of a busy machine, shrinking included. */
const TIMEOUT_MS = 60_000;

interface Twin {
  /** What the engine would read from its store. */
  readonly stored: Snapshot;
  readonly live: AnyMachineSnapshot;
}

interface PublicAction {
  readonly type: string;
  readonly params: unknown;
}

/** Throws when the two differ; `undefined` when both agree that the machine failed. */
function beginBoth(machine: AnyStateMachine, input: JsonObject): Twin | undefined {
  const ours = initialStep(machine, input);
  const [live, actions] = initialTransition(machine, input);
  if (ours.result === "failed") {
    assert.equal(live.status, "error");
    return undefined;
  }
  return { live, stored: agreed(ours, live, actions) };
}

function stepBoth(machine: AnyStateMachine, twin: Twin, event: { type: string }): Twin | undefined {
  const ours = step(machine, twin.stored, event);
  if (ours.result === "failed") {
    const { reason } = ours;
    const take = () => transition(machine, twin.live, event as never);
    assert.throws(take, (error: Error) => error.message === reason);
    return undefined;
  }
  const [live, actions] = transition(machine, twin.live, event as never);
  if (ours.result === "unhandled") {
    assert.equal(live, twin.live);
    assert.equal(actions.length, 0);
    return twin;
  }
  return { live, stored: agreed(ours, live, actions) };
}

function agreed(ours: Step, live: AnyMachineSnapshot, actions: readonly PublicAction[]): Snapshot {
  if (ours.result !== "moved") throw new Error(`${ours.result}, but XState moved to ${live.value}`);
  const { value, context, status, output } = ours.snapshot;
  expect({ value, context, status, output }).toEqual({
    value: live.value,
    context: live.context,
    status: live.status,
    output: live.output,
  });
  expect(ours.effects).toEqual(actions.flatMap(effectsOf));
  return JSON.parse(JSON.stringify(ours.snapshot)) as Snapshot;
}

function effectsOf({ type, params = {} }: PublicAction): unknown[] {
  const { id, delay, event, sendId } = params as Record<string, unknown>;
  if (type === "xstate.cancel") return [{ kind: "timer.cancel", id: sendId }];
  if (type === "xstate.emit") return [{ kind: "emit", event }];
  if (type !== "xstate.raise") return [{ kind: "action", name: type, params }];
  return delay === undefined ? [] : [{ kind: "timer.set", id, delayMs: delay, event }];
}

/**
 * XState can enter two children of one state, or a state without its parent: two parallel regions move
 * at once, and one of the ways leads through a history state. No chart means that, and what XState
 * itself persists of it has another future.
 */
function isLegal([{ _nodes: active }]: readonly [AnyMachineSnapshot, unknown]): boolean {
  return active.every((node) => {
    const children = Object.values(node.states).filter(({ type }) => type !== "history");
    const entered = children.filter((child) => active.includes(child)).length;
    const isHeld = node.parent === undefined || active.includes(node.parent);
    return isHeld && entered === (node.type === "compound" ? 1 : children.length);
  });
}

/** A step that fails is compared all the same. */
function isMeant(machine: AnyStateMachine, { live }: Twin, event: { type: string }): boolean {
  try {
    return getMicrosteps(machine, live, event as never).every(isLegal);
  } catch {
    return true;
  }
}

function timerTypes(machine: AnyStateMachine): string[] {
  const types: string[] = [];
  const visit = (node: AnyStateMachine["root"]): void => {
    types.push(...node.after.map(({ eventType }) => eventType));
    for (const child of Object.values(node.states)) visit(child);
  };
  visit(machine.root);
  return types;
}

test(
  "random statecharts take random events exactly as XState's public functions do",
  { timeout: TIMEOUT_MS },
  () => {
    const seen = { moved: 0, stayed: 0, done: 0, remembering: 0 };
    const run = (machine: AnyStateMachine, picks: readonly number[]): void => {
      const types = [...CHART_EVENTS, "E-unknown", ...timerTypes(machine)];
      let twin = beginBoth(machine, {});
      fc.pre(getInitialMicrosteps(machine, {} as never).every(isLegal));
      for (const pick of picks) {
        if (twin === undefined || twin.stored.status !== "active") break;
        const before = twin;
        const event = { type: types[pick % types.length] ?? "" };
        if (!isMeant(machine, before, event)) break;
        twin = stepBoth(machine, before, event);
        seen[twin === before ? "stayed" : "moved"] += 1;
      }
      if (twin?.stored.status === "done") seen.done += 1;
      if (twin?.stored.historyValue !== undefined) seen.remembering += 1;
    };
    const picks = fc.array(fc.nat(), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(randomChart, picks, (config, chosen) => run(chartOf(config), chosen)),
      { numRuns: 200 },
    );
    // The charts are worth something: they move, stay, end and remember.
    for (const count of Object.values(seen)) expect(count).toBeGreaterThan(3);
  },
);

describe("every reachable pair of state and event of the order item is taken as XState takes it", () => {
  const types = Object.keys(eventSchemas(1024)) as EventType[];
  const reported = [
    ...types.filter((type) => type !== "order.received").map((type) => machineEvent(type)),
    machineEvent("order.cancelled", { data: { origin: "reseller", approvedBy: "ops" } }),
    machineEvent("wait.started", { data: { on: "provider", reason: "Stock." } }),
  ];

  test.each<[string, Partial<OrderItemOptions>]>([
    ["with the default options", {}],
    [
      "with every option on",
      {
        failFromAccepted: true,
        rescheduleFromWork: true,
        noteUpdates: true,
        pointOfNoReturn: { internet: "scheduled" },
      },
    ],
  ])("%s", (_name, options) => {
    const definition = orderItemDefinition(options);
    const { machine } = definition;
    const at = Date.parse("2026-03-02T09:00:00Z");
    const timers = timerTypes(machine).map((type) => ({ type, at }));
    const birth = machineEvent("order.received", { data: { requiresInstallation: false } });
    const born = beginBoth(machine, definition.input(birth));
    const open = born === undefined ? [] : [born];
    const reached = new Set(open.map(({ stored }) => JSON.stringify(stored.value)));
    let pairs = 0;
    for (const twin of open) {
      if (twin.stored.status !== "active") continue;
      for (const event of [...reported, ...timers]) {
        const next = stepBoth(machine, twin, event);
        pairs += 1;
        const key = JSON.stringify(next?.stored.value);
        if (next === undefined || reached.has(key)) continue;
        reached.add(key);
        open.push(next);
      }
    }
    expect(reached.size).toBeGreaterThan(20);
    expect(pairs).toBeGreaterThan(400);
  });
});
