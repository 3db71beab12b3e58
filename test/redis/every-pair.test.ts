/**
 * Every reachable pair of state and event of the order item, decided by the engine on a real Redis. The
 * pairs come from the machine's own graph; what the store holds afterwards must be, byte for byte, what
 * the pure core says.
 */
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { getShortestPaths } from "xstate/graph";
import type { OrderItemEvent } from "../../machines/order-item/context.ts";
import { orderItemDefinition } from "../../machines/order-item/definition.ts";
import { type EventType, eventSchemas } from "../../machines/order-item/events.ts";
import { orderItemMachine } from "../../machines/order-item/machine.ts";
import { legalPairs, PAIRS } from "../../machines/order-item/pairs.ts";
import { STATUS_NAMES, type Status } from "../../machines/order-item/statuses.ts";
import { type Actor, encodeActor } from "../../src/core/actor.ts";
import type { ArrivedEvent } from "../../src/core/arrival.ts";
import { decideDue, decideEvent } from "../../src/core/decide.ts";
import type { Verdict } from "../../src/core/decision.ts";
import type { JsonObject } from "../../src/core/event.ts";
import { Applier } from "../../src/engine/apply-events.ts";
import type { Engine } from "../../src/engine/engine.ts";
import { loadActors } from "../../src/store/actor-store.ts";
import { countByStatus } from "../../src/store/item-store.ts";
import { arrived, type Deployment, openDeployment, statusOf } from "../crash/deployment.ts";
import { machineEvent, orderEvent } from "../support/order-item-events.ts";
import { WAYS } from "../support/order-item-walk.ts";

/** An event as the graph needs it: what it is and what it says, without item, id or time. */
interface Said {
  readonly type: EventType;
  readonly data: JsonObject;
}

const TYPES = Object.keys(eventSchemas(1_024)) as EventType[];
const WITHDRAWN = { origin: "reseller", approvedBy: "ops@example.com" } as const;

/** Every type once, and again wherever its data decides what happens. */
const SAID: readonly Said[] = [
  ...TYPES.map((type) => ({ type, data: {} })),
  { type: "order.cancelled", data: { origin: "reseller" } },
  { type: "order.cancelled", data: { origin: "marketplace" } },
  { type: "order.cancelled", data: WITHDRAWN },
  { type: "wait.started", data: { on: "provider" } },
  ...STATUS_NAMES.map((status): Said => ({ type: "status.observed", data: { status } })),
];

/** The decisions' own time. Events are told a second apart from March 2026 on, appointments are later. */
const NOW = Date.parse("2026-06-01T00:00:00Z");

function eventOf(subject: string, { type, data }: Said): ArrivedEvent {
  return arrived(orderEvent(type, { subject, data }));
}

/** For each state of the machine, what has to be said to get there. */
function waysToEveryState(birth: JsonObject): readonly (readonly Said[])[] {
  const told = SAID.map(({ type, data }) => ({
    ...machineEvent(type, { data }),
    said: { type, data },
  }));
  const input = orderItemDefinition().input(machineEvent("order.received", { data: birth }));
  const paths = getShortestPaths(orderItemMachine, {
    input: input as never,
    events: told as unknown as OrderItemEvent[],
    serializeState: ({ value }) => JSON.stringify(value),
    filterEvents: (snapshot, event) => snapshot.status === "active" && snapshot.can(event),
  });
  return paths.map(({ steps }) =>
    steps.flatMap(({ event }) => ("said" in event ? [event.said as Said] : [])),
  );
}

/** What the pure core makes of the events, one decision each. */
function decideAll(engine: Engine, events: readonly ArrivedEvent[]) {
  const setting = {
    machines: engine.machines,
    limits: engine.limits,
    clocks: engine.clocks(),
    now: engine.now(),
  };
  let actor: Actor | undefined;
  let verdict: Verdict | undefined;
  for (const event of events) {
    const next = decideEvent(setting, actor, event);
    ({ verdict } = next);
    actor = next.decision.actor;
  }
  return { actor, verdict };
}

async function applyAll(applier: Applier, events: readonly ArrivedEvent[]) {
  let answer: Awaited<ReturnType<Applier["apply"]>> | undefined;
  for (const event of events) answer = await applier.apply(event);
  return answer;
}

describe.each([{ requiresInstallation: true }, { requiresInstallation: false }])(
  "an item with $requiresInstallation as its need of an installation",
  (birth) => {
    const ways = waysToEveryState(birth);
    let deployment: Deployment;
    let engine: Engine;
    let applier: Applier;
    const clock = { now: NOW };

    beforeAll(async () => {
      deployment = await openDeployment({ redisUrl: inject("redisUrl") });
      engine = await deployment.openEngine({ now: () => clock.now });
      applier = new Applier(engine);
    });

    afterAll(async () => {
      await deployment.close();
    });

    test("is stored as the core decides it, for every state and every event", async () => {
      expect(ways.length).toBeGreaterThan(20);
      const cases = ways.flatMap((way, state) =>
        SAID.map((said, index) => {
          const itemId = `${state}-${index}`;
          const first: Said = { type: "order.received", data: birth };
          const events = [first, ...way, said].map((each) => eventOf(itemId, each));
          return { itemId, events, pure: decideAll(engine, events) };
        }),
      );
      const answers = await Promise.all(cases.map(({ events }) => applyAll(applier, events)));
      const texts = await loadActors(
        engine.store,
        cases.map(({ itemId }) => itemId),
      );
      const counts: Record<string, number> = {};
      for (const [index, { pure, events }] of cases.entries()) {
        const path = events.map(({ type }) => type).join(" > ");
        const { outcome, problem, status } = answers[index] ?? {};
        expect({ path, outcome, problem }).toEqual({ path, ...problemless(pure.verdict) });
        expect(status).toBe(statusOf(engine.machines, pure.actor));
        expect(texts[index]).toBe(pure.actor && encodeActor(pure.actor));
        counts[String(status)] = (counts[String(status)] ?? 0) + 1;
      }
      expect(await countByStatus(engine.store, Object.keys(counts))).toEqual(counts);
    });

    test("is stored as the core decides it, for every state and every timer that is set in it", async () => {
      for (const [state, way] of ways.entries()) {
        clock.now = NOW;
        const first: Said = { type: "order.received", data: birth };
        const said = [first, ...way];
        const timers = Object.values(
          decideAll(
            engine,
            said.map((each) => eventOf("probe", each)),
          ).actor?.timers ?? {},
        );
        for (const [index, { dueAt }] of timers.entries()) {
          clock.now = NOW;
          const itemId = `timer-${state}-${index}`;
          const events = said.map((each) => eventOf(itemId, each));
          const { actor } = decideAll(engine, events);
          if (actor === undefined) throw new TypeError("nothing was decided");
          await applyAll(applier, events);
          clock.now = dueAt;
          const { machines, limits, clocks } = engine;
          const pure = decideDue({ machines, limits, clocks: clocks(), now: dueAt }, actor).actor;
          await applier.applyDue(itemId);
          expect(await loadActors(engine.store, [itemId])).toEqual([pure && encodeActor(pure)]);
          expect(pure?.revision).toBeGreaterThan(actor.revision);
          await deployment.assertReplays(itemId);
        }
      }
    });
  },
);

function problemless(verdict: Verdict | undefined) {
  return { outcome: verdict?.outcome, problem: verdict?.problem };
}

describe("of the 100 pairs of statuses", () => {
  /** What a source would send to bring an item there, when no legal step says otherwise. */
  const TOWARDS: Readonly<Record<Status, EventType>> = {
    pending: "order.received",
    submitted_to_provider: "order.submitted",
    accepted: "order.accepted",
    scheduled: "appointment.scheduled",
    in_progress: "work.started",
    completed: "work.completed",
    active: "service.activated",
    rejected: "order.rejected",
    cancelled: "order.cancelled",
    failed: "work.failed",
  };
  const flags = { failFromAccepted: true, rescheduleFromWork: true };

  test.each([
    { profile: "strict", count: 15 },
    { profile: "extended", count: 24 },
  ] as const)("the engine takes $count in the $profile profile", async ({ profile, count }) => {
    const orderItem = { profile, ...flags };
    const deployment = await openDeployment({ redisUrl: inject("redisUrl"), orderItem });
    try {
      const legal = legalPairs(profile, flags);
      const results = await Promise.all(
        STATUS_NAMES.flatMap((from) =>
          STATUS_NAMES.map(async (to) => {
            const subject = `${from}-${to}`;
            const birth = { requiresInstallation: false };
            await deployment.apply(orderEvent("order.received", { subject, data: birth }));
            for (const type of WAYS[from]) await deployment.apply(orderEvent(type, { subject }));
            expect(statusOf(deployment.machines, await deployment.actor(subject))).toBe(from);
            const type =
              PAIRS.find((pair) => pair.from === from && pair.to === to)?.event ?? TOWARDS[to];
            const data = type === "order.cancelled" ? WITHDRAWN : {};
            const answer = await deployment.apply(orderEvent(type, { subject, data }));
            const isLegal = legal.some((pair) => pair.from === from && pair.to === to);
            const { outcome, status, problem } = answer;
            expect({ subject, isApplied: outcome === "applied", status }).toEqual({
              subject,
              isApplied: isLegal,
              status: isLegal ? to : from,
            });
            // Whoever is told no is told why.
            expect(problem === undefined).toBe(isLegal);
            await deployment.assertReplays(subject);
            return outcome;
          }),
        ),
      );
      expect(results.filter((outcome) => outcome === "applied")).toHaveLength(count);
    } finally {
      await deployment.close();
    }
  });
});
