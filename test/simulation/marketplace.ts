/**
 * The marketplace as its documents describe it and its sandbox behaves by default: it takes every status at
 * any time, knows no idempotency key and forgets nothing. Between it and the client lies a network that
 * loses answers, delivers late, and sometimes is not there.
 */
import type { JsonObject, JsonValue } from "../../src/core/event.ts";
import type { MarketRequest } from "../../src/history/history.ts";
import type { OffergridClient } from "../../src/offergrid/offergrid-client.ts";
import type { Reply } from "../../src/offergrid/reply.ts";
import { isUnderway } from "../../src/offergrid/sandbox/item-status.ts";
import type { ItemStatus, StatusUpdate } from "../../src/offergrid/status-update.ts";
import type { MarketFaultKind, MarketplacePlan } from "./plan.ts";
import { PUSH_TIMEOUT_MS } from "./setting.ts";
import type { Handle, Owner, World } from "./world.ts";

interface Item {
  readonly status: ItemStatus;
  readonly providerNotes?: string | undefined;
  readonly scheduledFor?: string | undefined;
}

interface FaultWindow {
  readonly kind: MarketFaultKind;
  readonly to: number;
  readonly chance: number;
}

/** A request on its way. */
interface Exchange {
  readonly owner: Owner;
  readonly name: string;
  /** What the marketplace does when the request arrives, and what it then answers. */
  readonly arrive: (fault: MarketFaultKind | undefined) => Answer;
}

interface Answer {
  readonly status: number;
  readonly body: JsonValue;
}

/** Late is at most this: before whoever takes over a dead sender's work can have begun to. */
const LATE_MS = { min: 200, max: 2_000 };

const RETRY_AFTER_S = 1;

/** Whoever sent the request gets no answer, or none in time. */
const UNHEARD: ReadonlySet<MarketFaultKind> = new Set([
  "market-silent",
  "market-late",
  "market-lost-before",
  "market-lost-after",
]);

export class Marketplace {
  readonly requests: MarketRequest[] = [];
  readonly #world: World;
  readonly #plan: MarketplacePlan;
  readonly #items = new Map<string, Item>();
  #windows: FaultWindow[] = [];
  /** Requests that have left their process and have not arrived. */
  readonly #onTheWay = new Map<Handle, Owner>();

  readonly #onDone: (owner: Owner, what: string) => void;

  constructor(world: World, plan: MarketplacePlan, onDone: (owner: Owner, what: string) => void) {
    this.#world = world;
    this.#onDone = onDone;
    this.#plan = plan;
  }

  order(itemId: string): void {
    this.#items.set(itemId, { status: "pending" });
    const { autoSubmitMs } = this.#plan;
    if (autoSubmitMs === null) return;
    this.#world.serve(autoSubmitMs, "", () => {
      if (this.#items.get(itemId)?.status !== "pending") return;
      this.#items.set(itemId, { status: "submitted_to_provider" });
    });
  }

  /** False when it is too late for the reseller to cancel. */
  cancel(itemId: string): boolean {
    const item = this.#items.get(itemId);
    if (item === undefined || !isUnderway(item.status)) return false;
    this.#items.set(itemId, { ...item, status: "cancelled" });
    return true;
  }

  disturb(window: FaultWindow): void {
    this.#windows.push(window);
  }

  /** The process has died; what its kernel had not sent yet never arrives. */
  abandon(owner: Owner): void {
    for (const [handle, sender] of this.#onTheWay) {
      if (sender === owner && this.#world.random.chance(0.3)) handle.cancel();
    }
  }

  clientOf(owner: Owner): OffergridClient {
    return {
      patchStatus: (itemId, body, { idempotencyKey }) =>
        this.#exchange({
          owner,
          name: `PATCH ${itemId} ${body.status}`,
          arrive: (fault) => this.#patch({ itemId, body, idempotencyKey }, fault),
        }),
      getItem: (itemId) =>
        this.#exchange({
          owner,
          name: `GET ${itemId}`,
          arrive: (fault) => this.#read(itemId, fault),
        }),
      listItems: async () => noResponse("connection", false),
      close: async () => undefined,
    };
  }

  async #exchange(exchange: Exchange): Promise<Reply> {
    const { owner, name, arrive } = exchange;
    const world = this.#world;
    const fault = this.#drawFault();
    world.note(`${owner.name} > market ${name}${fault === undefined ? "" : ` (${fault})`}`);
    return new Promise((resolve) => {
      const answer = (delayMs: number, reply: Reply): Handle =>
        world.after(delayMs, { owner, label: `market > ${describe(reply)} to ${name}` }, () => {
          patience.cancel();
          resolve(reply);
        });
      const patience = world.after(PUSH_TIMEOUT_MS, { owner, label: `gives up ${name}` }, () =>
        resolve(noResponse("timeout", true)),
      );
      if (fault === "market-unreachable") {
        answer(1, noResponse("connection", false));
        return;
      }
      const travelling = world.serve(this.#travelMs(fault), `market < ${name}`, () => {
        this.#onTheWay.delete(travelling);
        const { status, body } = arrive(fault);
        this.#onDone(owner, name.slice(0, name.indexOf(" ")));
        const back = this.#travelMs(undefined);
        if (fault === "market-silent" || fault === "market-late") return;
        const isLost = fault === "market-lost-before" || fault === "market-lost-after";
        answer(back, isLost ? noResponse("connection", true) : response(status, body));
      });
      this.#onTheWay.set(travelling, owner);
    });
  }

  #patch(
    request: {
      readonly itemId: string;
      readonly body: StatusUpdate;
      readonly idempotencyKey: string;
    },
    fault: MarketFaultKind | undefined,
  ): Answer {
    const { itemId, body, idempotencyKey } = request;
    const answer = refusalOf(fault);
    const item = this.#items.get(itemId);
    const applied = item !== undefined && (answer === undefined || fault === "market-500-after");
    if (applied) this.#items.set(itemId, { ...item, ...body });
    const isHeard = fault === undefined || !UNHEARD.has(fault);
    const given =
      answer ?? (item === undefined ? NOT_FOUND : { status: 200, body: { id: itemId } });
    this.requests.push({
      at: Math.floor(this.#world.now),
      itemId,
      idempotencyKey,
      status: body.status,
      body: structuredClone(body) as JsonObject,
      applied,
      answer: isHeard ? given.status : "none",
    });
    return given;
  }

  #read(itemId: string, fault: MarketFaultKind | undefined): Answer {
    const item = this.#items.get(itemId);
    const answer = refusalOf(fault);
    if (answer !== undefined) return answer;
    if (item === undefined) return NOT_FOUND;
    const { status, providerNotes, scheduledFor } = item;
    const shown = this.#plan.view === "extended" ? { providerNotes, scheduledFor } : {};
    const body = JSON.parse(JSON.stringify({ id: itemId, status, ...shown })) as JsonValue;
    return { status: 200, body };
  }

  #drawFault(): MarketFaultKind | undefined {
    const { now, random } = this.#world;
    this.#windows = this.#windows.filter(({ to }) => to > now);
    return this.#windows.find(({ chance }) => random.chance(chance))?.kind;
  }

  #travelMs(fault: MarketFaultKind | undefined): number {
    const { random } = this.#world;
    if (fault === "market-late") return random.int(LATE_MS.min, LATE_MS.max);
    if (fault === "market-slow") return random.int(100, PUSH_TIMEOUT_MS / 3);
    return 1 + random.next() * (random.chance(0.1) ? 100 : 10);
  }
}

const NOT_FOUND: Answer = { status: 404, body: { statusCode: 404, message: "Not found" } };

/** What the fault makes of the true answer; of "500-after", once the request has been acted on. */
function refusalOf(fault: MarketFaultKind | undefined): Answer | undefined {
  return fault === undefined ? undefined : REFUSALS[fault];
}

const SERVER_ERROR: Answer = {
  status: 500,
  body: { statusCode: 500, message: "Internal server error" },
};

const REFUSALS: Readonly<Partial<Record<MarketFaultKind, Answer>>> = {
  "market-429": { status: 429, body: { statusCode: 429, retryAfter: RETRY_AFTER_S } },
  "market-500-before": SERVER_ERROR,
  "market-500-after": SERVER_ERROR,
  // Not acted on either; and nobody hears of it.
  "market-lost-before": { status: 502, body: "" },
};

function response(status: number, body: JsonValue): Reply {
  const hint = status === 429 && { retryAfterMs: RETRY_AFTER_S * 1_000 };
  return { kind: "response", status, body, rateLimit: {}, ...hint };
}

function noResponse(reason: "timeout" | "connection", sent: boolean): Reply {
  return { kind: "no-response", reason, sent, error: sent ? "socket hang up" : "ECONNREFUSED" };
}

function describe(reply: Reply): string {
  return reply.kind === "response" ? String(reply.status) : `nothing (${reply.reason})`;
}
