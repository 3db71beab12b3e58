import { expect, onTestFinished, test } from "vitest";
import { openRedisRig } from "../../src/chaos/redis-rig.ts";
import { runCommand } from "../support/command.ts";

test("a worker that cannot start on a full Redis ends, so that its supervisor starts it again", async () => {
  const rig = await openRedisRig({ appendfsync: "everysec" });
  onTestFinished(() => rig.close());
  await rig.refuseWrites();
  const env = { REDIS_URL: rig.url, OFFERGRID_API_KEY: "key" };
  const ended = await runCommand(["worker"], env);
  expect(ended.exitCode).toBe(1);
  expect(ended.stderr).toContain("OOM");
});
