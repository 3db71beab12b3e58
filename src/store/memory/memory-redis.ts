/**
 * A Redis in memory, for the simulator and for tests: as much of Redis as the store uses, on a clock
 * that the caller turns. Always true: each call takes effect at once and as a whole, like a command
 * or a script of Redis, and the store cannot tell the two apart. To go back to a snapshot is to start
 * anew: it has another run id then and knows no script, as a server has that was restarted.
 */
import { createHash } from "node:crypto";
import type { RedisCommands } from "../commands.ts";
import { DataCommands } from "./data-commands.ts";
import { Keyspace, type MemorySnapshot } from "./keyspace.ts";
import { replyError } from "./reply-error.ts";
import { SCRIPT_PORTS } from "./script-ports.ts";

type Argument = string | number;

/** Commands that run a script. */
const SCRIPT_COMMANDS = { evalsha: true, eval: true };

const DATA_COMMANDS = {
  get: true,
  set: true,
  setnx: true,
  hget: true,
  hmget: true,
  hset: true,
  hdel: true,
  hincrby: true,
  lrange: true,
  llen: true,
  smembers: true,
  zcard: true,
  zcount: true,
  zscore: true,
  zrevrange: true,
  zrangebyscore: true,
  time: true,
  info: true,
} satisfies Record<Exclude<keyof RedisCommands, keyof typeof SCRIPT_COMMANDS>, true>;

function isOfData(name: string): name is keyof typeof DATA_COMMANDS {
  return Object.hasOwn(DATA_COMMANDS, name);
}

export class MemoryRedis {
  readonly #keyspace: Keyspace;
  readonly #commands: DataCommands;
  readonly #loaded = new Set<string>();
  #starts = 1;

  /** `now` gives ms: expiry and TIME follow it. */
  constructor(now: () => number) {
    this.#keyspace = new Keyspace(now);
    this.#commands = new DataCommands(this.#keyspace, () => this.#info());
  }

  /** Runs one command, named as in `RedisCommands`. Throws the errors that Redis would reply. */
  call(name: string, args: readonly Argument[]): unknown {
    // A connection sends every argument as text.
    const texts = args.map(String);
    if (isOfData(name)) {
      const command = this.#commands[name] as (...texts: readonly string[]) => unknown;
      return command.apply(this.#commands, texts);
    }
    const [script = "", , key = "", ...scriptArgs] = texts;
    switch (name) {
      case "eval":
        return this.#run(this.#load(script), key, scriptArgs);
      case "evalsha":
        return this.#run(script, key, scriptArgs);
      default:
        throw replyError(`ERR unknown command '${name}'`);
    }
  }

  /** Everything it holds, to go back to: a Redis that forgets its last second. */
  snapshot(): MemorySnapshot {
    return this.#keyspace.snapshot();
  }

  /** Starts anew with what the snapshot holds; one snapshot serves any number of times. */
  restore(snapshot: MemorySnapshot): void {
    this.#starts += 1;
    this.#loaded.clear();
    this.#keyspace.restore(snapshot);
  }

  #info(): string {
    return `# Server\r\nrun_id:${this.#starts.toString(16).padStart(40, "0")}\r\n`;
  }

  #load(lua: string): string {
    const sha = createHash("sha1").update(lua).digest("hex");
    this.#loaded.add(sha);
    return sha;
  }

  #run(sha: string, key: string, args: readonly string[]): unknown {
    const port = SCRIPT_PORTS.get(sha);
    if (port === undefined || !this.#loaded.has(sha))
      throw replyError("NOSCRIPT No matching script. Please use EVAL.");
    return port(this.#commands, key, args);
  }
}

/** Commands over any way to carry one: a simulator lays faults and delays between. */
export function memoryCommands(
  call: (name: string, args: readonly Argument[]) => Promise<unknown>,
): RedisCommands {
  const names = Object.keys({ ...DATA_COMMANDS, ...SCRIPT_COMMANDS });
  const commands = names.map((name) => [
    name,
    (...args: readonly Argument[]): Promise<unknown> => call(name, args),
  ]);
  return Object.fromEntries(commands) as RedisCommands;
}
