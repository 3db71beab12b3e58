/** What those are given who answer questions about items: a store that ends every wait, and what it takes to read it. */
import type { Machines } from "../core/machine.ts";
import { clockworkOf, DEFAULT_CLOCKS, type PolicyClockwork } from "../sla/clockwork.ts";
import { readPolicyStand } from "../store/policy-store.ts";
import { isOutage, openReadingStore, type ReadingStoreOptions } from "../store/reading-store.ts";
import type { Layout } from "../store/keys.ts";
import { openSeal, sealKeysOf } from "../store/seal.ts";
import type { DescribingSide } from "./describe-item.ts";
import { FeedTail } from "./feed-tail.ts";
import { readPolicyInForce } from "./read-policy.ts";

/** Between looks for another policy, ms: what is told of clocks is so old at most. */
const POLICY_LOOK_EVERY_MS = 2_000;

export interface Reading extends DescribingSide {
  readonly feed: FeedTail;
  /**
   * To be awaited before anything is read.
   * @throws EngineError STORE_LAYOUT_MISMATCH
   */
  readonly ready: () => Promise<void>;
  /**
   * To be awaited before the clocks are asked.
   * @throws EngineError POLICY_INVALID when this version of the program cannot read the stored policy
   */
  readonly refreshClocks: () => Promise<void>;
  /** Whether an error says that Redis is away. */
  readonly isOutage: (error: unknown) => boolean;
  readonly close: () => void;
}

export interface ReadingOptions extends ReadingStoreOptions {
  readonly redisUrl: string;
  readonly layout: Layout;
  readonly machines: Machines;
  /** As they are configured; absent: what is sealed cannot be read. */
  readonly encryptionKeys?: readonly string[] | undefined;
}

/** Whether Redis is there or not. */
export function openReading(options: ReadingOptions): Reading {
  const { redisUrl, layout, machines, timeoutMs, encryptionKeys = [] } = options;
  const seal = openSeal(sealKeysOf(encryptionKeys));
  const store = { ...openReadingStore(redisUrl, layout, { timeoutMs }), seal };
  let clocks: PolicyClockwork = DEFAULT_CLOCKS;
  let known: string | undefined;
  let lookedAt = -Infinity;
  return {
    store,
    machines,
    feed: new FeedTail(store),
    clocks: () => clocks,
    ready: store.ready,
    refreshClocks: async () => {
      if (performance.now() - lookedAt < POLICY_LOOK_EVERY_MS) return;
      const { version, setAt } = await readPolicyStand(store);
      const stand = `${version ?? ""}@${setAt}`;
      if (stand !== known) clocks = clockworkOf((await readPolicyInForce(store)).policy);
      known = stand;
      lookedAt = performance.now();
    },
    isOutage,
    close: store.close,
  };
}
