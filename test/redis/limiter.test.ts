import { randomUUID } from "node:crypto";
import { Redis } from "ioredis";
import { afterAll, beforeEach, describe, expect, inject, test } from "vitest";
import { eventually } from "../support/eventually.ts";
import {
  giveBackPermits,
  holdAccount,
  limiterState,
  pauseAccount,
  releaseAccount,
  takePermits,
} from "../../src/store/limiter.ts";

const redis = new Redis(inject("redisUrl"));
let key: string;

beforeEach(() => {
  key = `ow:{acct:${randomUUID()}}:limit`;
});

afterAll(async () => {
  await redis.quit();
});

const take = (
  want: number,
  limit: number | null = 20,
  permitClass: "urgent" | "routine" | "poll" = "urgent",
) => takePermits(redis, key, { limit, want, class: permitClass });
const nowSeconds = async (): Promise<number> => Number((await redis.time())[0]);

describe("the window", () => {
  test("is shared: processes that race never get more than the limit", async () => {
    const clients = [redis, redis.duplicate(), redis.duplicate()];
    const grants = await Promise.all(
      Array.from({ length: 90 }, (_, index) =>
        takePermits(clients[index % 3] ?? redis, key, { limit: 50, want: 3, class: "urgent" }),
      ),
    );
    const permits = grants.map((grant) => (grant.outcome === "granted" ? grant.permits : 0));
    expect(permits.reduce((sum, each) => sum + each, 0)).toBe(50);
    await Promise.all(clients.slice(1).map((client) => client.quit()));
  });

  test("grants a part, and says when the next permit can be had", async () => {
    const grant = await take(25);
    expect(grant).toMatchObject({ outcome: "granted", permits: 20 });
    const wait = await take(1);
    for (const each of [grant, wait]) {
      const { retryAfterMs } = each as { retryAfterMs: number };
      expect(retryAfterMs).toBeGreaterThan(59_000);
      expect(retryAfterMs).toBeLessThanOrEqual(61_000);
    }
    expect(wait.outcome).toBe("wait");
  });

  test("slides: a second that any minute up to now could touch counts, an older one does not", async () => {
    const grant = await eventually(async () => {
      const now = await nowSeconds();
      await redis.del(key);
      await redis.hset(key, { [now - 61]: 500, [now - 60]: 12, [now - 20]: 5 });
      const taken = await take(9);
      expect(taken, "a new second began meanwhile").toMatchObject({ second: now });
      return taken;
    });
    expect(grant).toMatchObject({ permits: 3 });
    const { retryAfterMs } = grant as { retryAfterMs: number };
    expect(retryAfterMs).toBeGreaterThan(0);
    expect(retryAfterMs).toBeLessThanOrEqual(1_000);
    expect(await redis.hlen(key)).toBe(3);
  });

  test("is not blocked by seconds from a clock that was far ahead", async () => {
    await redis.hset(key, { [(await nowSeconds()) + 3_600]: 500 });
    expect(await take(1)).toMatchObject({ outcome: "granted" });
  });

  test("takes permits back, but never more than it gave", async () => {
    const grant = await take(20);
    if (grant.outcome !== "granted") throw new Error("nothing was granted");
    await giveBackPermits(redis, key, { permits: 5, second: grant.second });
    expect(await limiterState(redis, key, 20)).toEqual({ used: 15, limit: 20 });
    await giveBackPermits(redis, key, { permits: 500, second: grant.second });
    expect(await take(500)).toMatchObject({ permits: 20 });
  });
});

describe("the classes", () => {
  test("lesser ones leave a share of the window to those above", async () => {
    expect(await take(99, 20, "poll")).toMatchObject({ permits: 14 });
    expect(await take(99, 20, "poll")).toMatchObject({ outcome: "wait" });
    expect(await take(99, 20, "routine")).toMatchObject({ permits: 4 });
    expect(await take(99, 20, "routine")).toMatchObject({ outcome: "wait" });
    expect(await take(99, 20, "urgent")).toMatchObject({ permits: 2 });
  });

  test("a poll waits until the window is low enough for a poll", async () => {
    const now = await nowSeconds();
    await redis.hset(key, { [now - 50]: 6, [now - 20]: 10 });
    const wait = (await take(1, 20, "poll")) as { retryAfterMs: number };
    expect(wait.retryAfterMs).toBeLessThanOrEqual(11_000);
    await redis.hset(key, { [now - 50]: 1, [now - 20]: 15 });
    const longer = (await take(1, 20, "poll")) as { retryAfterMs: number };
    expect(longer.retryAfterMs).toBeGreaterThan(38_000);
  });

  test.each([1, 9, 10])("every class can work at a limit of %i", async (limit) => {
    expect(await take(1, limit, "poll")).toMatchObject({ outcome: "granted" });
  });
});

describe("an account", () => {
  test.each([20, null])(
    "that is held gets no permit until it is released (limit %s)",
    async (limit) => {
      await holdAccount(redis, key, "PUSH_UNAUTHORIZED");
      expect(await take(1, limit)).toEqual({ outcome: "held", reason: "PUSH_UNAUTHORIZED" });
      expect(await limiterState(redis, key, limit)).toEqual({
        used: 0,
        limit,
        heldReason: "PUSH_UNAUTHORIZED",
      });
      expect(await redis.ttl(key)).toBe(-1);
      expect(await releaseAccount(redis, key)).toBe("released");
      expect(await releaseAccount(redis, key)).toBe("not-held");
      expect(await take(1, limit)).toMatchObject({ outcome: "granted", permits: 1 });
    },
  );

  test.each([20, null])("that is paused gets no permit until then (limit %s)", async (limit) => {
    const untilMs = await pauseAccount(redis, key, 30_000);
    expect(await pauseAccount(redis, key, 1_000)).toBe(untilMs);
    const wait = (await take(1, limit)) as { outcome: string; retryAfterMs: number };
    expect(wait.outcome).toBe("wait");
    expect(wait.retryAfterMs).toBeGreaterThan(20_000);
    expect(wait.retryAfterMs).toBeLessThanOrEqual(30_000);
    expect(await limiterState(redis, key, limit)).toMatchObject({ pausedUntilMs: untilMs });
  });

  test("whose pause has passed is served again", async () => {
    await redis.hset(key, "pausedUntilMs", ((await nowSeconds()) - 1) * 1000);
    expect(await take(1)).toMatchObject({ outcome: "granted" });
    expect(await limiterState(redis, key, 20)).toEqual({ used: 1, limit: 20 });
  });

  test("without a limit gets all it wants and leaves nothing behind", async () => {
    expect(await take(5_000, null)).toMatchObject({ permits: 5_000, retryAfterMs: 0 });
    expect(await redis.exists(key)).toBe(0);
  });
});
