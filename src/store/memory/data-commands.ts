/**
 * The Redis commands that the store and its scripts use, on a keyspace in memory. They take their
 * arguments in Redis's order and reply what Redis replies, so that a script's port reads like its Lua.
 */
import type { Keyspace } from "./keyspace.ts";
import { replyError } from "./reply-error.ts";
import {
  printScore,
  putMember,
  rangeOf,
  readScore,
  removeMember,
  type SortedSet,
} from "./sorted-set.ts";

type Argument = string | number;

export class DataCommands {
  readonly #keyspace: Keyspace;
  /** What INFO tells of the server. */
  readonly info: () => string;

  constructor(keyspace: Keyspace, info: () => string) {
    this.#keyspace = keyspace;
    this.info = info;
  }

  time(): [seconds: string, microseconds: string] {
    const nowUs = Math.floor(this.#keyspace.now() * 1_000);
    return [String(Math.floor(nowUs / 1_000_000)), String(nowUs % 1_000_000)];
  }

  // Keys.

  del(...keys: readonly string[]): number {
    return keys.filter((key) => this.#keyspace.drop(key)).length;
  }

  exists(key: string): number {
    return this.#keyspace.has(key) ? 1 : 0;
  }

  pexpire(key: string, lifeMs: Argument): number {
    if (!this.#keyspace.has(key)) return 0;
    const forMs = readInteger(lifeMs);
    if (forMs <= 0) this.#keyspace.drop(key);
    else this.#keyspace.expireAt(key, this.#keyspace.now() + forMs);
    return 1;
  }

  // Strings.

  get(key: string): string | null {
    return this.#keyspace.read(key, "string") ?? null;
  }

  set(key: string, value: Argument): "OK" {
    this.#keyspace.putString(key, String(value));
    return "OK";
  }

  setnx(key: string, value: Argument): number {
    if (this.#keyspace.has(key)) return 0;
    this.set(key, value);
    return 1;
  }

  // Hashes.

  hget(key: string, field: string): string | null {
    return this.#keyspace.read(key, "hash")?.get(field) ?? null;
  }

  hmget(key: string, ...fields: readonly string[]): (string | null)[] {
    const hash = this.#keyspace.read(key, "hash");
    return fields.map((field) => hash?.get(field) ?? null);
  }

  hexists(key: string, field: string): number {
    return this.#keyspace.read(key, "hash")?.has(field) === true ? 1 : 0;
  }

  /** Field and value in turn, in one row. */
  hgetall(key: string): string[] {
    return [...(this.#keyspace.read(key, "hash") ?? [])].flat();
  }

  hset(key: string, field: string, value: Argument): number {
    const hash = this.#keyspace.open(key, "hash");
    const isNew = !hash.has(field);
    hash.set(field, String(value));
    return isNew ? 1 : 0;
  }

  hdel(key: string, ...fields: readonly string[]): number {
    if (this.#keyspace.read(key, "hash") === undefined) return 0;
    const hash = this.#keyspace.open(key, "hash");
    const removed = fields.filter((field) => hash.delete(field)).length;
    if (hash.size === 0) this.#keyspace.drop(key);
    return removed;
  }

  hincrby(key: string, field: string, by: Argument): number {
    const sum = readInteger(this.hget(key, field) ?? 0) + readInteger(by);
    this.hset(key, field, sum);
    return sum;
  }

  // Lists.

  llen(key: string): number {
    return this.#keyspace.read(key, "list")?.length ?? 0;
  }

  lrange(key: string, from: Argument, to: Argument): string[] {
    return part(this.#keyspace.read(key, "list") ?? [], from, to);
  }

  ltrim(key: string, from: Argument, to: Argument): "OK" {
    if (this.#keyspace.read(key, "list") === undefined) return "OK";
    const list = this.#keyspace.open(key, "list");
    list.splice(0, list.length, ...part(list, from, to));
    if (list.length === 0) this.#keyspace.drop(key);
    return "OK";
  }

  rpush(key: string, ...items: readonly string[]): number {
    return this.#keyspace.open(key, "list").push(...items);
  }

  // Sets.

  sadd(key: string, member: string): number {
    const set = this.#keyspace.open(key, "set");
    const isNew = !set.has(member);
    set.add(member);
    return isNew ? 1 : 0;
  }

  smembers(key: string): string[] {
    return [...(this.#keyspace.read(key, "set") ?? [])];
  }

  // Sorted sets.

  /** `args`: flags out of LT, XX and CH, then one score and its member. */
  zadd(key: string, ...args: readonly Argument[]): number {
    const flags = args.slice(0, -2);
    const score = readScore(String(args.at(-2)));
    const member = String(args.at(-1));
    const earlier = this.#sorted(key)?.scores.get(member);
    if (earlier === undefined && flags.includes("XX")) return 0;
    if (earlier === score) return 0;
    if (earlier !== undefined && flags.includes("LT") && score > earlier) return 0;
    putMember(this.#keyspace.open(key, "zset"), member, score);
    return earlier === undefined || flags.includes("CH") ? 1 : 0;
  }

  zrem(key: string, member: string): number {
    if (this.#sorted(key)?.scores.has(member) !== true) return 0;
    const set = this.#keyspace.open(key, "zset");
    removeMember(set, member);
    if (set.members.length === 0) this.#keyspace.drop(key);
    return 1;
  }

  /** Member and score in turn. */
  zpopmin(key: string, count: Argument): string[] {
    const wanted = readInteger(count);
    if (wanted < 0) throw replyError("ERR value is out of range, must be positive");
    const set = this.#sorted(key);
    if (set === undefined) return [];
    const popped = set.members.slice(0, wanted);
    const reply = withScores(set, popped);
    for (const member of popped) this.zrem(key, member);
    return reply;
  }

  zcard(key: string): number {
    return this.#sorted(key)?.members.length ?? 0;
  }

  zcount(key: string, min: Argument, max: Argument): number {
    const set = this.#sorted(key);
    if (set === undefined) return 0;
    const [from, to] = rangeOf(set, String(min), String(max));
    return Math.max(0, to - from);
  }

  zscore(key: string, member: string): string | null {
    const score = this.#sorted(key)?.scores.get(member);
    return score === undefined ? null : printScore(score);
  }

  zrevrange(key: string, from: Argument, to: Argument): string[] {
    return part(this.#sorted(key)?.members.toReversed() ?? [], from, to);
  }

  /** `args`: lowest and highest score, then "WITHSCORES" and "LIMIT", offset, count when wanted. */
  zrangebyscore(key: string, ...args: readonly Argument[]): string[] {
    const set = this.#sorted(key);
    if (set === undefined) return [];
    const [min = "", max = "", ...options] = args.map(String);
    const [from, to] = rangeOf(set, min, max);
    const limit = options.indexOf("LIMIT");
    const offset = limit === -1 ? 0 : readInteger(options[limit + 1] ?? "");
    const count = limit === -1 ? -1 : readInteger(options[limit + 2] ?? "");
    const end = count < 0 ? to : Math.min(to, from + offset + count);
    const members =
      offset < 0 ? [] : set.members.slice(from + offset, Math.max(end, from + offset));
    return options.includes("WITHSCORES") ? withScores(set, members) : members;
  }

  #sorted(key: string): SortedSet | undefined {
    return this.#keyspace.read(key, "zset");
  }
}

function withScores({ scores }: SortedSet, members: readonly string[]): string[] {
  return members.flatMap((member) => [member, printScore(scores.get(member) ?? 0)]);
}

/** Redis counts both ends in, and from the end below zero. */
function part<T>(items: readonly T[], from: Argument, to: Argument): T[] {
  const last = readInteger(to);
  const end = last < 0 ? items.length + last + 1 : last + 1;
  const first = readInteger(from);
  return items.slice(first < 0 ? Math.max(0, items.length + first) : first, Math.max(0, end));
}

function readInteger(value: Argument): number {
  if (!/^-?\d+$/.test(String(value))) {
    throw replyError("ERR value is not an integer or out of range");
  }
  return Number(value);
}
