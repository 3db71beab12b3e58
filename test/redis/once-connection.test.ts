/** A command whose reply is lost: carried out, never answered, and not to be carried out again. */
import { expect, onTestFinished, test } from "vitest";
import { openRedisRig } from "../../src/chaos/redis-rig.ts";
import { openConnection } from "../../src/queue/queues.ts";

test("a connection that sends once rejects what was not answered, and goes on", async () => {
  const rig = await openRedisRig({ appendfsync: "everysec" });
  onTestFinished(() => rig.close());
  const redis = openConnection({ redisUrl: rig.proxiedUrl }, "once");
  onTestFinished(() => redis.disconnect());
  await redis.set("counted", 0);
  rig.proxy.dropReplies(1, ([name]) => name === "incr");
  const lost = [redis.incr("counted"), redis.get("counted")];
  expect(await Promise.allSettled(lost)).toMatchObject([
    { status: "rejected" },
    { status: "rejected" },
  ]);
  expect(await redis.get("counted")).toBe("1");
});
