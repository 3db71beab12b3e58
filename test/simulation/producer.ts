/** Those who send events: they hand over what the plan says, and send again what was refused. */
import type { CloudEvent } from "../../src/core/event.ts";
import type { SentEvent } from "../../src/history/history.ts";
import { CRM_EVENTS } from "../../src/queue/queues.ts";
import { Connection, type Surroundings } from "./connection.ts";
import type { RunPlan } from "./plan.ts";
import { EPOCH_MS, type Owner } from "./world.ts";

const AGAIN_MS = 500;

interface Tried {
  readonly event: CloudEvent;
  readonly sentAt: number;
  acknowledgedAt: number | undefined;
}

export class Producer {
  readonly #surroundings: Surroundings;
  readonly #plan: RunPlan;
  readonly #owner: Owner = {
    name: "producer",
    skewMs: 0,
    isAlive: true,
    pausedUntil: 0,
    lastImmediateAt: 0,
  };
  readonly #connection: Connection;
  readonly #tried = new Map<string, Tried>();
  #open = 0;
  #lastSendAt = 0;

  constructor(surroundings: Surroundings, plan: RunPlan) {
    this.#surroundings = surroundings;
    this.#plan = plan;
    this.#connection = new Connection(surroundings, this.#owner, "plain");
  }

  get sent(): readonly SentEvent[] {
    return [...this.#tried.values()].map(({ event, sentAt, acknowledgedAt }) => ({
      event,
      sentAt,
      ...(acknowledgedAt !== undefined && { acknowledgedAt }),
    }));
  }

  get isBusy(): boolean {
    return this.#open > 0;
  }

  get lastSendAt(): number {
    return this.#lastSendAt;
  }

  begin(): void {
    const items = new Map(this.#plan.items.map((item) => [item.itemId, item]));
    for (const { at, events } of this.#plan.sends) {
      const job = events.flatMap(({ itemId, place }) => items.get(itemId)?.events[place] ?? []);
      if (job.length > 0) this.sendAt(EPOCH_MS + at, job);
    }
  }

  sendAt(at: number, events: readonly CloudEvent[]): void {
    const { world } = this.#surroundings;
    this.#lastSendAt = Math.max(this.#lastSendAt, at);
    this.#open += 1;
    const names = events.map(({ id }) => id).join(" ");
    world.after(
      at - world.now,
      { owner: this.#owner, label: `sends ${names}` },
      () => void this.#send(events),
    );
  }

  cut(): void {
    this.#connection.cut();
  }

  async #send(events: readonly CloudEvent[]): Promise<void> {
    const { world } = this.#surroundings;
    for (const event of events) {
      if (this.#tried.has(event.id)) continue;
      this.#tried.set(event.id, {
        event,
        sentAt: Math.floor(world.now),
        acknowledgedAt: undefined,
      });
    }
    const data = events.length === 1 ? events[0] : events;
    const job = { id: undefined, data, deduplicationId: undefined };
    try {
      await this.#connection.call({ kind: "add", queue: CRM_EVENTS, job });
    } catch {
      setTimeout(() => void this.#send(events), AGAIN_MS);
      return;
    }
    this.#open -= 1;
    for (const { id } of events) {
      const tried = this.#tried.get(id);
      if (tried !== undefined) tried.acknowledgedAt ??= Math.floor(world.now);
    }
  }
}
