import { expect, test } from "vitest";
import type { JournalEntry } from "../../src/core/journal.ts";
import { lastKnownStatus } from "../../src/engine/marketplace-view.ts";
import type { RedisCommands } from "../../src/store/commands.ts";

const delivered = (name: string, status: string): JournalEntry => ({
  kind: "delivery",
  at: 1,
  effect: `item:${name}:${status}`,
  name,
  outcome: "delivered",
  attempt: 1,
  status,
  tookMs: 1,
});

function journalOf(entries: readonly JournalEntry[]) {
  const texts = entries.map((entry) => JSON.stringify(entry));
  // The journal is all that it asks for.
  const redis = { lrange: async () => texts } as Partial<RedisCommands> as RedisCommands;
  return { redis, layout: { prefix: "test", shards: 1 } };
}

test("what an operator was reminded of is not what the marketplace was told", async () => {
  const store = journalOf([
    delivered("pushStatus", "scheduled"),
    delivered("remind", "in_progress"),
  ]);
  expect(await lastKnownStatus(store, "item")).toBe("scheduled");
});
