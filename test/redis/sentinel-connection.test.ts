import { Socket } from "node:net";
import { Redis } from "ioredis";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openSentinelRig, type SentinelRig } from "../../src/chaos/sentinel-rig.ts";
import { connect } from "../../src/store/connection.ts";
import { eventually } from "../support/eventually.ts";

const WRITERS = 20;

let rig: SentinelRig;
let redis: Redis;

beforeAll(async () => {
  rig = await openSentinelRig();
  redis = connect(rig.url, { enableAutoPipelining: true });
});

afterAll(async () => {
  redis.disconnect();
  await rig.close();
});

/** Writes members of one set, from many callers at a time, until it is stopped. */
function startWriting(client: Redis, name: string) {
  const acknowledged: { readonly member: string; readonly at: number }[] = [];
  let isAsked = true;
  const write = async (writer: number): Promise<void> => {
    for (let n = 0; isAsked; n += 1) {
      const member = `${name}:${writer}:${n}`;
      await client.sadd("written", member);
      acknowledged.push({ member, at: Date.now() });
    }
  };
  const writing = Promise.all(Array.from({ length: WRITERS }, async (_, writer) => write(writer)));
  return {
    acknowledged,
    stop: async (): Promise<void> => {
      isAsked = false;
      await writing;
    },
  };
}

test("a client of Sentinels goes on with the promoted replica, once and again", async () => {
  for (const name of ["first", "second"]) {
    const { acknowledged, stop } = startWriting(redis, name);
    await eventually(() => expect(acknowledged.length).toBeGreaterThan(500));
    const { lostSince } = await rig.failOver();
    const before = acknowledged.length;
    await eventually(() => expect(acknowledged.length).toBeGreaterThan(before + WRITERS));
    await stop();
    const kept = new Set(await redis.smembers("written"));
    const lost = acknowledged.filter(({ member }) => !kept.has(member));
    expect(lost).not.toEqual([]);
    expect(lost.filter(({ at }) => at < lostSince)).toEqual([]);
    await rig.healOld();
  }
});

test("what a demoted master refuses is asked again until there is a master", async () => {
  await redis.set("counted", 0);
  const port = redis.stream instanceof Socket ? redis.stream.remotePort : undefined;
  const direct = new Redis(`redis://127.0.0.1:${port}`);
  // A master of nothing: it serves what it has, and takes no writes.
  await direct.replicaof("127.0.0.1", 1);
  await expect(direct.incr("counted")).rejects.toThrow(/^READONLY/);
  const lua = "return redis.call('INCR', KEYS[1])";
  const answers = Promise.all([
    redis.incr("counted"),
    redis.eval(lua, 1, "counted"),
    redis.incr("counted"),
  ]);
  await eventually(async () => {
    const errors = await direct.info("errorstats");
    // One for the direct client, and one for each of the other's three.
    expect(errors).toContain("errorstat_READONLY:count=4");
  });
  await direct.replicaof("NO", "ONE");
  direct.disconnect();
  expect(new Set(await answers)).toEqual(new Set([1, 2, 3]));
});
