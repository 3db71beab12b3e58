/** What the store asks of Redis: a connection gives it, and so does the Redis in memory of tests. */

type Argument = string | number;

/** Redis commands as ioredis spells them. Each takes effect at once and as a whole. */
export interface RedisCommands {
  readonly get: (key: string) => Promise<string | null>;
  readonly set: (key: string, value: Argument) => Promise<unknown>;
  readonly setnx: (key: string, value: Argument) => Promise<number>;
  readonly hget: (key: string, field: string) => Promise<string | null>;
  readonly hmget: (key: string, ...fields: string[]) => Promise<(string | null)[]>;
  readonly hset: (key: string, field: string, value: Argument) => Promise<number>;
  readonly hdel: (key: string, field: string) => Promise<number>;
  readonly hincrby: (key: string, field: string, by: number) => Promise<number>;
  readonly lrange: (key: string, from: number, to: number) => Promise<string[]>;
  readonly llen: (key: string) => Promise<number>;
  readonly smembers: (key: string) => Promise<string[]>;
  readonly zcard: (key: string) => Promise<number>;
  readonly zcount: (key: string, min: Argument, max: Argument) => Promise<number>;
  readonly zscore: (key: string, member: string) => Promise<string | null>;
  /** By rank, the highest score first. */
  readonly zrevrange: (key: string, from: number, to: number) => Promise<string[]>;
  /** Members by score, the lowest first. */
  zrangebyscore(
    key: string,
    min: Argument,
    max: Argument,
    limit: "LIMIT",
    offset: number,
    count: number,
  ): Promise<string[]>;
  /** Member and score in turn, by score, the lowest first. */
  zrangebyscore(
    key: string,
    min: Argument,
    max: Argument,
    withScores: "WITHSCORES",
    limit: "LIMIT",
    offset: number,
    count: number,
  ): Promise<string[]>;
  /** Seconds and microseconds of Redis's clock. */
  readonly time: () => Promise<Argument[]>;
  readonly info: (section: "server") => Promise<string>;
  readonly evalsha: (sha: string, keys: 1, ...keyAndArgs: Argument[]) => Promise<unknown>;
  readonly eval: (lua: string, keys: 1, ...keyAndArgs: Argument[]) => Promise<unknown>;
}
