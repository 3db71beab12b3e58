/**
 * Bugs on purpose, put around the product from outside: a simulator that does not find them proves nothing
 * by finding none.
 */
import { type Actor, decodeActor, dueAt, encodeActor } from "../../src/core/actor.ts";
import type { RedisCommands } from "../../src/store/commands.ts";
import { itemPrefix } from "../../src/store/keys.ts";
import { claimLanesScript, commitScript, type Script } from "../../src/store/scripts.ts";
import { readCommits, type ReadCommit, writeCommits } from "./commit-arguments.ts";
import { type Called, shaOf } from "./command-text.ts";
import type { Argument, Interception } from "./redis-server.ts";
import { LAYOUT } from "./setting.ts";
import type { ProcessChange } from "./simulated-process.ts";

export interface Plant {
  readonly process?: ProcessChange;
  readonly server?: Interception;
}

/** How long after its settlement a push is sent, where it is settled first, ms. */
const SEND_LATE_MS = 20;

/** Places among the arguments of a claim, as it is called. */
const CLAIMED_AT = 4;
const LEASE_UNTIL = 5;

/** Its place among what stands in the middle of a commit. */
const DECIDED_AT = 2;

export const PLANTS: Readonly<Record<string, Plant>> = {
  /** The dedupe marks are written by a second command, after the commit. */
  "mark-in-second-command": {
    server: (command, execute) => {
      const reply = execute(command.name, command.args);
      if (!runs(command, commitScript)) return reply;
      for (const { item, marks } of committed(command.args, reply)) {
        for (const [mark] of marks) execute("hdel", [seenKey(item), mark]);
      }
      return reply;
    },
    process: { commands: markAfterCommit },
  },
  /** A push is settled as delivered before it is sent. */
  "settle-before-send": {
    process: {
      client: (client) => ({
        ...client,
        patchStatus: async (...call) => {
          setTimeout(() => void client.patchStatus(...call), SEND_LATE_MS);
          return { kind: "response", status: 200, body: {}, rateLimit: {} };
        },
      }),
    },
  },
  /** A commit does not ask whether the actor is still the one that was read. */
  "no-revision-check": {
    server: onCommit((commit, present) => ({ ...commit, opening: present })),
  },
  /** A timer that its state's exit has cancelled stays, and fires in a later state. */
  "timer-without-token": { server: onCommit(withTimersKept) },
  /** Nothing looks at an item because one of its SLA clocks is due. */
  "due-without-clocks": { server: onCommit(withoutClocksDue) },
  /** After a change of the SLA policy the walk over all items finds none. */
  "recompute-finds-nobody": {
    server: ({ name, args }, execute) => {
      const isWalk = name === "zrangebyscore" && String(args[0]).includes("}:status:");
      return isWalk ? [] : execute(name, args);
    },
  },
  /** A push whose outcome is unknown is sent again without a look. */
  "no-lookup-after-unknown": {
    server: (command, execute) => {
      const reply = execute(command.name, command.args);
      if (!runs(command, claimLanesScript)) return reply;
      return (reply as string[][]).map(([item = "", before = "", ...effects]) => [
        item,
        before.replace(/begun|forgotten/, "idle"),
        ...effects,
      ]);
    },
  },
  /** A lane that is being delivered has no lease: the next recovery gives it to others. */
  "lane-claimed-twice": {
    server: (command, execute) => {
      if (!runs(command, claimLanesScript)) return execute(command.name, command.args);
      const now = command.args[CLAIMED_AT] ?? 0;
      return execute(command.name, command.args.with(LEASE_UNTIL, now));
    },
  },
  /** A job is reported finished before its events are committed. */
  "ack-before-commit": {
    process: {
      eventProcess: (run, finish) => async (job, token) => {
        await finish(job, token);
        return run(job, token);
      },
    },
  },
};

function runs(called: Called, script: Script): boolean {
  const { name } = called;
  return (name === "eval" || name === "evalsha") && shaOf(called) === script.sha;
}

/** The commits of a batch that were written. */
function committed(args: readonly Argument[], reply: unknown): ReadCommit[] {
  const results = reply as string[][];
  return readCommits(args).filter((_, index) => results[index]?.[0] === "committed");
}

function seenKey(item: string): string {
  return `${itemPrefix(LAYOUT, item)}seen:${item}`;
}

function onCommit(change: (commit: ReadCommit, present: string) => ReadCommit): Interception {
  return (command, execute) => {
    if (!runs(command, commitScript)) return execute(command.name, command.args);
    const commits = readCommits(command.args).map((commit) => {
      const present = execute("get", [`${itemPrefix(LAYOUT, commit.item)}a:${commit.item}`]);
      return change(commit, typeof present === "string" ? present : "");
    });
    return execute(command.name, writeCommits(command.args, commits));
  };
}

function withTimersKept(commit: ReadCommit, present: string): ReadCommit {
  if (present === "" || commit.text === "") return commit;
  const [before, after] = [present, commit.text].map((text) => decodeActor(commit.item, text));
  if (before === undefined || after === undefined) return commit;
  const decidedAt = Number(commit.middle[DECIDED_AT]);
  const ahead = Object.entries(before.timers).filter(([, timer]) => timer.dueAt > decidedAt);
  const kept: Actor = { ...after, timers: { ...Object.fromEntries(ahead), ...after.timers } };
  return { ...commit, text: encodeActor(kept), due: String(dueAt(kept) ?? "") };
}

function withoutClocksDue(commit: ReadCommit): ReadCommit {
  if (commit.text === "") return commit;
  const { clocks: _unheeded, ...actor } = decodeActor(commit.item, commit.text);
  return { ...commit, due: String(dueAt(actor) ?? "") };
}

function markAfterCommit(commands: RedisCommands): RedisCommands {
  const follow = async (call: Called, running: Promise<unknown>): Promise<unknown> => {
    const reply = await running;
    if (!runs(call, commitScript)) return reply;
    const writes = committed(call.args, reply).flatMap(({ item, marks }) =>
      marks.map(([mark, answer]) => commands.hset(seenKey(item), mark, answer)),
    );
    await Promise.all(writes);
    return reply;
  };
  return {
    ...commands,
    evalsha: async (...args) => follow({ name: "evalsha", args }, commands.evalsha(...args)),
    eval: async (...args) => follow({ name: "eval", args }, commands.eval(...args)),
  };
}
