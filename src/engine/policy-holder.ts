/**
 * The SLA policy that a process decides by: read at the start, looked for again all the time, and
 * taken over between two decisions.
 *
 * Always true: there is one. When Redis is away, or holds a policy that this version of the program
 * cannot read, the present one stays; it is never replaced by the default.
 *
 * A process that took a change over too late (it was suspended, or cut off from Redis) may meanwhile
 * have measured items by the earlier policy again, behind the back of the recomputation. It asks for
 * another one.
 */
import { EngineError } from "../core/errors.ts";
import { clockworkOf, type PolicyClockwork } from "../sla/clockwork.ts";
import { askForRecompute, type PolicyStand, readPolicyStand } from "../store/policy-store.ts";
import type { Store } from "../store/store.ts";
import { readPolicyInForce } from "./read-policy.ts";

/** How often each process looks for another policy, ms. */
const LOOK_EVERY_MS = 2_000;

/**
 * How long after a change every process that can commit is taken to decide by it, ms. Five looks: a
 * process that missed them all asks for a recomputation of its own.
 */
export const POLICY_ADOPTED_WITHIN_MS = 10_000;

/** Of what stays wrong the log tells so often, ms. */
const COMPLAIN_EVERY_MS = 60_000;

export interface PolicyHolder {
  /** For each decision anew: the next one may be under another policy. */
  readonly clocks: () => PolicyClockwork;
  /** Looks now. Never rejects: a failure is logged, and the present policy stays. */
  readonly refresh: () => Promise<void>;
  readonly close: () => void;
}

interface PolicyLog {
  readonly info: (fields: object, message: string) => void;
  readonly error: (fields: object, message: string) => void;
}

export interface PolicyHolderOptions {
  /** Ms since the epoch, by the deployment's clock. */
  readonly now: () => number;
  readonly log: PolicyLog;
}

/** @throws EngineError POLICY_INVALID when the stored policy cannot be read */
export async function openPolicyHolder(
  store: Store,
  options: PolicyHolderOptions,
): Promise<PolicyHolder> {
  const { policy, stored } = await readPolicyInForce(store);
  const holder = new Holder(store, options, { clocks: clockworkOf(policy), of: nameOf(stored) });
  const looks = setInterval(() => void holder.refresh(), LOOK_EVERY_MS);
  looks.unref();
  return {
    clocks: () => holder.held.clocks,
    refresh: () => holder.refresh(),
    close: () => {
      clearInterval(looks);
      holder.isClosed = true;
    },
  };
}

interface Held {
  readonly clocks: PolicyClockwork;
  /** The stand it was read from. */
  readonly of: string;
}

class Holder {
  held: Held;
  isClosed = false;
  readonly #store: Store;
  readonly #options: PolicyHolderOptions;
  #looking: Promise<void> | undefined;
  /** A stand whose policy was refused: reading it again would give the same. */
  #refused: { readonly of: string; readonly error: unknown } | undefined;
  #complainedAt = -Infinity;

  constructor(store: Store, options: PolicyHolderOptions, held: Held) {
    this.#store = store;
    this.#options = options;
    this.held = held;
  }

  /** While Redis is away a look may take long: others join it. */
  refresh(): Promise<void> {
    this.#looking ??= this.#look()
      .catch((error: unknown) => this.#complain(error, "looking for another SLA policy failed"))
      .finally(() => (this.#looking = undefined));
    return this.#looking;
  }

  async #look(): Promise<void> {
    const seen = nameOf(await readPolicyStand(this.#store));
    if (seen === this.held.of) return;
    if (this.#refused?.of !== seen) await this.#takeOver(seen);
    if (this.#refused !== undefined) {
      const { error } = this.#refused;
      this.#complain(error, "the stored SLA policy was refused, and the present one stays");
    }
  }

  async #takeOver(seen: string): Promise<void> {
    const { now, log } = this.#options;
    const read = await readPolicyInForce(this.#store).catch((error: unknown) => ({ error }));
    if ("error" in read) {
      if (!isRefusal(read.error)) throw read.error;
      this.#refused = { of: seen, error: read.error };
      return;
    }
    const { policy, stored } = read;
    this.#refused = undefined;
    this.held = { clocks: clockworkOf(policy), of: this.held.of };
    // Only afterwards it can do no more harm; and a lost call is made again by the next look.
    if (now() >= stored.setAt + POLICY_ADOPTED_WITHIN_MS) await askForRecompute(this.#store);
    this.held = { ...this.held, of: nameOf(stored) };
    log.info({ version: policy.version, setAt: stored.setAt }, "another SLA policy was taken over");
  }

  #complain(error: unknown, message: string): void {
    const elapsed = performance.now();
    if (this.isClosed || elapsed < this.#complainedAt + COMPLAIN_EVERY_MS) return;
    this.#complainedAt = elapsed;
    const { version } = this.held.clocks.policy;
    this.#options.log.error({ err: error, version }, message);
  }
}

function nameOf({ version = "", setAt }: PolicyStand): string {
  return `${version}@${setAt}`;
}

function isRefusal(error: unknown): boolean {
  return error instanceof EngineError && error.code === "POLICY_INVALID";
}
