/** lua/commit.lua in TypeScript. */
import type { DataCommands } from "./data-commands.ts";
import { tellFeed } from "./feed.ts";
import { effectScore } from "./lane-score.ts";
import { replyError } from "./reply-error.ts";
import { readArguments, type ScriptArguments } from "./script-arguments.ts";

type Pairs = readonly (readonly [string, string])[];

/** One actor's part of the arguments, in their order. */
interface ActorCommit {
  readonly item: string;
  readonly opening: string;
  readonly text: string;
  readonly due: string;
  readonly oldStatus: string;
  readonly newStatus: string;
  readonly now: string;
  readonly order: string;
  readonly attention: string;
  readonly marks: Pairs;
  readonly answers: Pairs;
  readonly entries: readonly string[];
  readonly effects: Pairs;
  readonly dead: Pairs;
  readonly looks: readonly string[];
}

interface Shard {
  readonly redis: DataCommands;
  /** Of its keys. */
  readonly p: string;
  /** Items whose journals grew, and how, in turn. */
  readonly grown: string[];
}

export function commit(redis: DataCommands, p: string, args: readonly string[]): string[][] {
  const [count, dedupeForMs = ""] = args;
  const reader = readArguments(args, 2);
  const grown: string[] = [];
  const results = Array.from({ length: Number(count) }, () =>
    commitActor({ redis, p, grown }, readActor(reader), dedupeForMs),
  );
  tellFeed(redis, p, grown);
  return results;
}

/** An object's properties are evaluated in the order they are written in. */
function readActor({ take, takeList, takePairs }: ScriptArguments): ActorCommit {
  return {
    item: take(),
    opening: take(),
    text: take(),
    due: take(),
    oldStatus: take(),
    newStatus: take(),
    now: take(),
    order: take(),
    attention: take(),
    marks: takePairs(),
    answers: takePairs(),
    entries: takeList(),
    effects: takePairs(),
    dead: takePairs(),
    looks: takeList(),
  };
}

function commitActor(shard: Shard, actor: ActorCommit, dedupeForMs: string): string[] {
  const { redis, p } = shard;
  const { item, opening, marks } = actor;
  const present = redis.get(`${p}a:${item}`) ?? "";

  const known = marks.map(([mark]) => redis.hget(`${p}seen:${item}`, mark));
  if (known.some((answer) => answer !== null)) {
    return ["duplicate", present, ...known.map((answer) => answer ?? "")];
  }
  const isSame = present.startsWith(opening) && (opening !== "" || present === "");
  if (!isSame) return ["stale", present];

  writeAnswers(shard, actor, dedupeForMs);
  writeActor(shard, actor);
  writeIndexes(shard, actor);
  for (const [channel, entry] of actor.effects) enqueueEffect(shard, item, [channel, entry]);
  for (const channel of actor.looks) {
    if (redis.exists(`${p}out:${channel}:${item}`) === 1) {
      redis.hset(`${p}look:${channel}`, item, actor.now);
    }
  }
  for (const [id, text] of actor.dead) {
    redis.zadd(`${p}dead`, actor.now, id);
    redis.hset(`${p}deadletters`, id, text);
  }
  return ["committed"];
}

function writeAnswers(
  { redis, p }: Shard,
  { item, marks, answers }: ActorCommit,
  dedupeForMs: string,
): void {
  if (marks.length + answers.length === 0) return;
  const seenKey = `${p}seen:${item}`;
  for (const [mark, answer] of marks) redis.hset(seenKey, mark, answer);
  for (const [mark, answer] of answers) {
    const earlier = redis.hget(seenKey, mark);
    if (earlier === null) continue;
    const digest = /^[^ \t-\r]+/.exec(earlier)?.[0];
    if (digest === undefined) throw replyError("ERR attempt to concatenate a nil value");
    redis.hset(seenKey, mark, `${digest} ${answer}`);
  }
  redis.pexpire(seenKey, dedupeForMs);
}

function writeActor({ redis, p, grown }: Shard, { item, text, entries, due }: ActorCommit): void {
  if (text === "") {
    redis.del(`${p}a:${item}`, `${p}j:${item}`);
    redis.zrem(`${p}due`, item);
    return;
  }
  redis.set(`${p}a:${item}`, text);
  if (entries.length > 0) {
    grown.push(item, `${redis.rpush(`${p}j:${item}`, ...entries)} ${entries.length}`);
  }
  if (due === "") redis.zrem(`${p}due`, item);
  else redis.zadd(`${p}due`, due, item);
}

function writeIndexes(
  { redis, p }: Shard,
  { item, oldStatus, newStatus, now, order, attention }: ActorCommit,
): void {
  if (oldStatus !== "" && oldStatus !== newStatus) redis.zrem(`${p}status:${oldStatus}`, item);
  if (newStatus !== "") redis.zadd(`${p}status:${newStatus}`, now, item);
  if (order !== "") redis.sadd(`${p}order:${order}`, item);
  if (attention === "none") redis.zrem(`${p}attention`, item);
  else if (attention !== "") redis.zadd(`${p}attention`, attention, item);
}

function enqueueEffect(
  { redis, p }: Shard,
  item: string,
  [channel, entry]: readonly [string, string],
): void {
  redis.sadd(`${p}channels`, channel);
  redis.rpush(`${p}out:${channel}:${item}`, entry);
  if (redis.zscore(`${p}leased:${channel}`, item) !== null) return;
  if (redis.zscore(`${p}later:${channel}`, item) !== null) return;
  if (redis.hexists(`${p}blocked:${channel}`, item) === 1) return;
  redis.zadd(`${p}ready:${channel}`, "LT", effectScore(entry), item);
}
