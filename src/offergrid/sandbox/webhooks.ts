/**
 * Events out to providers. Each is posted to the team's endpoint, else to the global one, and tried
 * again on a schedule until it is answered with a 2xx or the schedule ends. Deliveries are in memory
 * only: a sandbox that closes forgets what it still had to send, as the docs promise no more.
 */
import { createHmac, randomUUID } from "node:crypto";
import type { SandboxBehaviour, Team, WebhookTarget } from "./behaviour.ts";
import type { Market, MarketEvent } from "./market.ts";

/** Posts under way at once, so that a burst of orders does not exhaust sockets. */
const ACTIVE_MAX = 50;
/** Events waiting for a first or further attempt; more are lost and counted. */
const WAITING_MAX = 10_000;

interface Delivery {
  readonly target: WebhookTarget;
  readonly payload: string;
  readonly attempt: number;
}

export class WebhookSender {
  readonly #market: Market;
  readonly #targets: ReadonlyMap<string, WebhookTarget>;
  readonly #closing = new AbortController();
  readonly #timers = new Set<NodeJS.Timeout>();
  #waiting: Delivery[] = [];
  #active = 0;

  constructor(market: Market, teams: readonly Team[]) {
    this.#market = market;
    const own = teams.flatMap((team) => (team.webhook ? [[team.id, team.webhook] as const] : []));
    this.#targets = new Map(own);
    market.listen((event) => this.#send(event));
  }

  /** Drops what waits and cuts what is under way. */
  close(): void {
    this.#closing.abort();
    this.forget();
  }

  /** Drops what waits, in the queue or for a further attempt. */
  forget(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    this.#waiting = [];
  }

  #send(event: MarketEvent): void {
    const { behaviour } = this.#market;
    const target = this.#targets.get(event.item.account) ?? behaviour.webhook;
    if (!target) return;
    const made = {
      id: `evt_${randomUUID()}`,
      timestamp: new Date(this.#market.now()).toISOString(),
    };
    const payload = JSON.stringify(envelopeOf(event, made, behaviour.envelope));
    for (let copy = 0; copy < behaviour.webhookCopies; copy += 1) {
      this.#enqueue({ target, payload, attempt: 0 });
    }
  }

  #enqueue(delivery: Delivery): void {
    if (this.#waiting.length + this.#timers.size >= WAITING_MAX) {
      this.#market.counters.webhooksLost += 1;
      return;
    }
    this.#waiting.push(delivery);
    this.#pump();
  }

  #pump(): void {
    while (this.#active < ACTIVE_MAX) {
      const delivery = this.#waiting.shift();
      if (!delivery) return;
      this.#active += 1;
      void this.#attempt(delivery);
    }
  }

  async #attempt(delivery: Delivery): Promise<void> {
    const isTaken = await this.#post(delivery);
    this.#active -= 1;
    if (this.#closing.signal.aborted) return;
    if (isTaken) this.#market.counters.webhooksDelivered += 1;
    else this.#retryLater(delivery);
    this.#pump();
  }

  /** Whether the receiver answered with a 2xx in time. Never rejects. */
  async #post({ target, payload }: Delivery): Promise<boolean> {
    const { signature, webhookTimeoutMs } = this.#market.behaviour;
    const seconds = Math.floor(this.#market.now() / 1000);
    try {
      const response = await fetch(target.url, {
        method: "POST",
        headers: {
          "content-type": "application/json",
          ...signatureHeaders(payload, { secret: target.secret, scheme: signature, seconds }),
        },
        body: payload,
        redirect: "manual",
        signal: AbortSignal.any([this.#closing.signal, AbortSignal.timeout(webhookTimeoutMs)]),
      });
      // An unread body would keep the connection from being used again.
      await response.body?.cancel();
      return response.ok;
    } catch {
      return false;
    }
  }

  #retryLater(delivery: Delivery): void {
    const { counters, behaviour } = this.#market;
    counters.webhookAttemptsFailed += 1;
    const waitMs = behaviour.webhookRetriesMs[delivery.attempt];
    if (waitMs === undefined) {
      counters.webhooksLost += 1;
      return;
    }
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.#enqueue({ ...delivery, attempt: delivery.attempt + 1 });
    }, waitMs);
    this.#timers.add(timer);
  }
}

/** The body of a webhook, in either of the two shapes that the docs show. */
function envelopeOf(
  event: MarketEvent,
  made: { readonly id: string; readonly timestamp: string },
  style: SandboxBehaviour["envelope"],
): Readonly<Record<string, unknown>> {
  const { timestamp, id } = made;
  const data = dataOf(event);
  if (style === "nested") return { id, event: event.event, timestamp, data };
  return { event: event.event, ...data, timestamp };
}

/** `x-offergrid-signature` in hex and, unless plain, `x-offergrid-timestamp` in Unix seconds. */
function signatureHeaders(
  payload: string,
  sign: {
    readonly secret: string;
    readonly scheme: SandboxBehaviour["signature"];
    readonly seconds: number;
  },
): Readonly<Record<string, string>> {
  const isPlain = sign.scheme === "plain";
  const signed = isPlain ? payload : `${sign.seconds}.${payload}`;
  const signature = createHmac("sha256", sign.secret).update(signed).digest("hex");
  if (isPlain) return { "x-offergrid-signature": signature };
  return {
    "x-offergrid-signature": signature,
    "x-offergrid-timestamp": String(sign.seconds),
  };
}

function dataOf(event: MarketEvent): Readonly<Record<string, unknown>> {
  const { id: itemId, orderId, offerId, offerName } = event.item;
  switch (event.event) {
    case "order.created": {
      const { reseller: resellerTeamId, serviceAddress } = event.order;
      return { orderId, itemId, offerId, offerName, resellerTeamId, serviceAddress };
    }
    case "order.cancelled":
      return { orderId, itemId, reason: event.reason, cancelledBy: "reseller" };
  }
}
