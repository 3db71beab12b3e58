/**
 * A process's connection to Redis, as ioredis keeps it. Commands arrive in the order in which they were
 * sent, and so do their replies. When the connection breaks, what was not answered is sent again, in
 * order, after the next connect: a command may so be executed twice, and its second reply is the one
 * that the caller gets.
 *
 * With auto-pipelining, commands of one turn travel together, one such group at a time, and are answered
 * together. Of a group that was answered in part when the connection broke, the rest is refused. A
 * connection that sends "once" refuses whatever was not answered.
 */
import { commandText, commandWord } from "./command-text.ts";
import type { Command, CommandReply, RedisServer } from "./redis-server.ts";
import type { Owner, World } from "./world.ts";

export interface Surroundings {
  readonly world: World;
  readonly server: RedisServer;
  /** How long a message travels now, ms. */
  readonly latencyMs: () => number;
  /** When the server takes connections again. */
  readonly downUntil: () => number;
  /** Hears of what a process has just done to Redis or to the marketplace: faults may wait for it. */
  readonly onDone: (owner: Owner, what: string) => void;
}

interface Sent {
  readonly command: Command;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
  reply: CommandReply | undefined;
}

/** A group of commands that the server was sent. */
interface Group {
  readonly sent: readonly Sent[];
  /** What takes back the parts that have not happened. */
  readonly undo: (() => void)[];
}

export type ConnectionMode = "pipelined" | "plain" | "once";

const RECONNECT_MS = { min: 50, max: 500 };

export class Connection {
  readonly #surroundings: Surroundings;
  readonly #owner: Owner;
  readonly #mode: ConnectionMode;
  #waiting: Sent[] = [];
  #underWay: Group[] = [];
  #isFlushDue = false;
  #isConnected = true;
  #breaks = 0;
  /** No message overtakes an earlier one. */
  #lastArrival = 0;
  #lastReply = 0;

  constructor(surroundings: Surroundings, owner: Owner, mode: ConnectionMode) {
    this.#surroundings = surroundings;
    this.#owner = owner;
    this.#mode = mode;
  }

  call(command: Command): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ command, resolve, reject, reply: undefined });
      this.#flushSoon();
    });
  }

  get breaks(): number {
    return this.#breaks;
  }

  /** The connection breaks now, wherever what travels on it is. */
  cut(): void {
    const { world, downUntil } = this.#surroundings;
    this.#isConnected = false;
    this.#breaks += 1;
    const again = this.#underWay.flatMap((group) => this.#takeBack(group));
    this.#underWay = [];
    this.#waiting = [...again, ...this.#waiting];
    const backAt = Math.max(
      world.now + world.random.int(RECONNECT_MS.min, RECONNECT_MS.max),
      downUntil() + world.random.int(1, RECONNECT_MS.max),
    );
    world.after(backAt - world.now, { owner: this.#owner, label: "" }, () => this.#reconnect());
  }

  /** The process has died. Of what it had sent, the server still gets the first part. */
  abandon(): void {
    const { random } = this.#surroundings.world;
    const undo = this.#underWay.flatMap((group) => group.undo);
    for (const each of undo.slice(random.int(0, undo.length))) each();
    // Nobody can hand a job to a socket that is closed.
    for (const { command } of this.#underWay.flatMap(({ sent }) => sent)) {
      if (command.kind === "take") for (const each of undo) each();
    }
  }

  #reconnect(): void {
    const { world, downUntil } = this.#surroundings;
    if (downUntil() > world.now) {
      world.after(downUntil() - world.now + 1, { owner: this.#owner, label: "" }, () =>
        this.#reconnect(),
      );
      return;
    }
    this.#isConnected = true;
    this.#flush();
  }

  #flushSoon(): void {
    if (this.#mode !== "pipelined") {
      this.#flush();
      return;
    }
    if (this.#isFlushDue || this.#underWay.length > 0) return;
    this.#isFlushDue = true;
    setImmediate(() => {
      this.#isFlushDue = false;
      this.#flush();
    });
  }

  #flush(): void {
    if (!this.#isConnected) return;
    if (this.#mode !== "pipelined") {
      for (const sent of this.#waiting.splice(0)) this.#send([sent]);
    } else if (this.#underWay.length === 0 && this.#waiting.length > 0) {
      this.#send(this.#waiting.splice(0));
    }
  }

  #send(sent: readonly Sent[]): void {
    const { world, server, latencyMs, onDone } = this.#surroundings;
    const group: Group = { sent, undo: [] };
    this.#underWay.push(group);
    let open = sent.length;
    for (const each of sent) {
      this.#lastArrival = Math.max(this.#lastArrival, world.now + latencyMs());
      const label = `${this.#owner.name} > redis ${describe(each.command)}`;
      const arrival = world.serve(this.#lastArrival - world.now, label, () => {
        const withdraw = server.execute(each.command, (reply) => {
          each.reply = reply;
          open -= 1;
          if (open === 0) this.#answer(group);
        });
        group.undo.push(withdraw);
        onDone(this.#owner, commandWord(each.command));
      });
      group.undo.push(arrival.cancel);
    }
  }

  #answer(group: Group): void {
    const { world, latencyMs } = this.#surroundings;
    this.#lastReply = Math.max(this.#lastReply, world.now + latencyMs());
    const [first] = group.sent;
    const label = first === undefined ? "" : `redis > ${describe(first.command)}`;
    const delivery = world.after(this.#lastReply - world.now, { owner: this.#owner, label }, () => {
      this.#underWay = this.#underWay.filter((each) => each !== group);
      for (const sent of group.sent) settle(sent);
      this.#flushSoon();
    });
    group.undo.push(delivery.cancel);
  }

  /** What is to be sent again. */
  #takeBack({ sent, undo }: Group): Sent[] {
    for (const each of undo) each();
    const answered = sent.findIndex(({ reply }) => reply === undefined);
    const most = answered === -1 ? sent.length : answered;
    // A whole group that was answered may have been read, or not.
    const read = sent.length === 1 ? 0 : this.#surroundings.world.random.int(0, most);
    if (read === 0 && this.#mode !== "once") {
      for (const each of sent) each.reply = undefined;
      return [...sent];
    }
    this.#surroundings.world.after(0.01, { owner: this.#owner, label: "" }, () => {
      for (const [index, each] of sent.entries()) {
        if (index < read) settle(each);
        else each.reject(new Error("Command aborted due to connection close"));
      }
    });
    return [];
  }
}

function settle({ reply, resolve, reject }: Sent): void {
  if (reply === undefined) reject(new Error("a reply without a value"));
  else if (reply.result === "value") resolve(reply.value);
  else reject(reply.error);
}

function describe(command: Command): string {
  if ("id" in command) return `${command.kind} ${command.queue} ${command.id}`;
  if (command.kind !== "data") return `${command.kind} ${command.queue}`;
  return commandText(command);
}
