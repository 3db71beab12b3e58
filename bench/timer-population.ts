/**
 * Order items that wait for their first reminder, written fast: each is really born, by the machine and the
 * engine's own plan of a commit, and committed by the engine's own script, but without a queue between.
 */
import { definitions } from "../machines/registry.ts";
import type { Limits } from "../src/core/decision.ts";
import { groupBy } from "../src/core/group-by.ts";
import { type Machines, registerMachines } from "../src/core/machine.ts";
import { readEvent } from "../src/core/read-event.ts";
import type { ArrivedEvent } from "../src/core/arrival.ts";
import { contentOf, markOf } from "../src/engine/event-identity.ts";
import { planEvents } from "../src/engine/item-plan.ts";
import { DEFAULT_CLOCKS } from "../src/sla/clockwork.ts";
import { commitActors, type Commit } from "../src/store/actor-store.ts";
import { shardOf } from "../src/store/keys.ts";
import type { Store } from "../src/store/store.ts";
import { birthEvents } from "./workload.ts";

/** Actors in one commit, as many as a worker commits together. */
const COMMIT_ACTORS = 128;

/** Planned before Redis is waited for: both cores then have work. */
const WAVE_ITEMS = 8 * COMMIT_ACTORS;

const LIMITS: Limits = {
  parkedForMs: 0,
  unknownItemForMs: 0,
  parkedMax: 0,
  journalMax: Infinity,
  timersPerDecision: 0,
};

export interface Population {
  readonly name: string;
  readonly count: number;
  /** When the item of this index is to have its first timer, ms since the epoch. */
  readonly dueAt: (index: number) => number;
}

/** An item, and when its first timer is due, ms. */
export type Waiting = readonly [itemId: string, dueAt: number];

/** Resolves when all are in Redis. */
export async function populate(
  { store, dedupeForMs }: { readonly store: Store; readonly dedupeForMs: number },
  { name, count, dueAt }: Population,
): Promise<Waiting[]> {
  const machines = registerMachines(definitions());
  const [template] = [...birthEvents([name])];
  const born = readEvent(template, Date.now());
  if (born.result !== "event") throw new Error("The workload's birth cannot be read.");
  const birth = birthAt(machines, born.event, { itemId: name, at: 0 });
  const leadMs = (birth.dueAt ?? Number.NaN) - 0;
  const waiting: Waiting[] = [];
  let committing: Promise<unknown> = Promise.resolve();
  for (let from = 0; from < count; from += WAVE_ITEMS) {
    const commits = Array.from({ length: Math.min(WAVE_ITEMS, count - from) }, (_, place) => {
      const index = from + place;
      const at = Math.round(dueAt(index)) - leadMs;
      return birthAt(machines, born.event, { itemId: `${name}-${index}`, at });
    });
    for (const commit of commits) waiting.push([commit.itemId, commit.dueAt ?? Number.NaN]);
    await committing;
    committing = commitAll(store, commits, dedupeForMs);
    // Redis works on this wave while the next one is planned.
    committing.catch(() => undefined);
  }
  await committing;
  return waiting;
}

function birthAt(
  machines: Machines,
  template: ArrivedEvent,
  { itemId, at }: { readonly itemId: string; readonly at: number },
): Commit {
  const time = new Date(at).toISOString();
  const data = { ...template.data, orderId: `order-${itemId}`, createdAt: time };
  const event = { ...template, id: `${itemId}-0`, subject: itemId, time, data };
  const planned = { event, mark: markOf(event), content: contentOf(event) };
  const setting = { machines, limits: LIMITS, clocks: DEFAULT_CLOCKS, now: at };
  return planEvents(setting, { itemId, text: undefined }, [planned]).commit;
}

async function commitAll(
  store: Store,
  commits: readonly Commit[],
  dedupeForMs: number,
): Promise<void> {
  const shards = groupBy(commits, ({ itemId }) => shardOf(store.layout, itemId));
  await Promise.all(
    [...shards].flatMap(([shard, each]) =>
      Array.from({ length: Math.ceil(each.length / COMMIT_ACTORS) }, (_, index) => {
        const part = each.slice(index * COMMIT_ACTORS, (index + 1) * COMMIT_ACTORS);
        return commitActors(store, shard, { commits: part, dedupeForMs });
      }),
    ),
  );
}
