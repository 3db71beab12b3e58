/**
 * One client's connection to Redis through the proxy.
 *
 * Redis answers in order, so the oldest command without a reply is the one that the next reply
 * answers; pushes answer nothing. Where that does not hold (subscriptions, replication, a client that
 * wants no replies, something that is not RESP) the link goes on as a plain relay: it can be cut and
 * slowed, and loses no single reply.
 */
import { connect, type Socket } from "node:net";
import { delayLane } from "./delay-lane.ts";
import { type Message, messageReader } from "./resp.ts";

/** Replies that are to be lost. */
export interface Drop {
  left: number;
  readonly match: (command: readonly string[]) => boolean;
}

export interface LinkOptions {
  readonly port: number;
  readonly counts: { commands: number; repliesDropped: number };
  readonly delayMs: () => number;
  readonly drops: () => readonly Drop[];
  readonly onClose: () => void;
}

export interface RedisLink {
  /** Ends both sides at once; what was on its way is gone. */
  readonly sever: () => void;
}

const HOST = "127.0.0.1";
const END = "end";
type Delivery = Buffer | typeof END;

/** The name, and enough arguments to tell a script and its first key. */
const WORDS_KEPT = 4;

export function openLink(client: Socket, options: LinkOptions): RedisLink {
  const server = connect({ port: options.port, host: HOST, noDelay: true });
  const pairing = startPairing();
  const requests = delayLane<Delivery>(options.delayMs, (delivery) => {
    if (delivery === END) server.destroySoon();
    else {
      options.counts.commands += noteRequests(pairing, delivery);
      write(client, server, delivery);
    }
  });
  const replies = delayLane<Delivery>(options.delayMs, (delivery) => {
    if (delivery === END) client.destroySoon();
    else deliverReplies(delivery);
  });
  const sever = (): void => {
    requests.clear();
    replies.clear();
    client.destroy();
    server.destroy();
    options.onClose();
  };
  const deliverReplies = (chunk: Buffer): void => {
    const lostAt = findLostReply(pairing, chunk, options.drops());
    if (lostAt === undefined) {
      write(server, client, chunk);
      return;
    }
    options.counts.repliesDropped += 1;
    // What Redis said before still reaches the client.
    requests.clear();
    replies.clear();
    server.destroy();
    client.end(chunk.subarray(0, lostAt));
    client.destroySoon();
  };
  relay(client, requests.send);
  relay(server, replies.send);
  client.on("close", options.onClose);
  return { sever };
}

function relay(from: Socket, send: (delivery: Delivery) => void): void {
  from.on("data", send);
  // A connection that broke is closed next, and the other side with it.
  from.on("error", () => undefined);
  from.on("close", () => send(END));
}

function write(from: Socket, to: Socket, chunk: Buffer): void {
  if (to.destroyed || to.write(chunk)) return;
  from.pause();
  to.once("drain", () => from.resume());
}

type Command = readonly string[];

interface Pairing {
  readonly readRequests: (chunk: Buffer) => readonly Message[] | "unreadable";
  readonly readReplies: (chunk: Buffer) => readonly Message[] | "unreadable";
  /** What each reply to come answers: one command, or all of a transaction. Oldest first. */
  waiting: (readonly Command[])[];
  /** Commands since MULTI. */
  transaction: Command[] | undefined;
  /** False for good once replies cannot be told apart. */
  isPossible: boolean;
}

function startPairing(): Pairing {
  return {
    readRequests: messageReader(WORDS_KEPT),
    readReplies: messageReader(0),
    waiting: [],
    transaction: undefined,
    isPossible: true,
  };
}

/** Returns the number of commands that end in the chunk. */
function noteRequests(pairing: Pairing, chunk: Buffer): number {
  if (!pairing.isPossible) return 0;
  const messages = pairing.readRequests(chunk);
  if (messages === "unreadable") {
    pairing.isPossible = false;
    return 0;
  }
  for (const { words } of messages)
    noteCommand(
      pairing,
      words.map((word) => word.toLowerCase()),
    );
  return messages.length;
}

const WITHOUT_ORDER = new Set([
  "subscribe",
  "psubscribe",
  "ssubscribe",
  "monitor",
  "sync",
  "psync",
]);

function noteCommand(pairing: Pairing, command: Command): void {
  const [name = "", argument] = command;
  if (WITHOUT_ORDER.has(name) || (name === "client" && argument === "reply")) {
    pairing.isPossible = false;
  }
  if (name === "multi") pairing.transaction = [];
  if (pairing.transaction === undefined) pairing.waiting.push([command]);
  else if (name === "exec") pairing.waiting.push([command, ...pairing.transaction]);
  else {
    // Until EXEC nothing is carried out: the reply only says that the command is queued.
    pairing.waiting.push([]);
    if (name !== "multi") pairing.transaction.push(command);
  }
  if (name === "exec" || name === "discard") pairing.transaction = undefined;
}

const ERRORS = new Set(["-", "!"]);
const PUSH = ">";

/** Offset at which a reply that is to be lost begins in the chunk; 0 also when it began before. */
function findLostReply(
  pairing: Pairing,
  chunk: Buffer,
  drops: readonly Drop[],
): number | undefined {
  if (!pairing.isPossible) return undefined;
  const messages = pairing.readReplies(chunk);
  if (messages === "unreadable") {
    pairing.isPossible = false;
    return undefined;
  }
  let beginsAt = 0;
  for (const { type, endsAt } of messages) {
    const answered = type === PUSH ? [] : (pairing.waiting.shift() ?? []);
    const drop = ERRORS.has(type)
      ? undefined
      : drops.find(({ left, match }) => left > 0 && answered.some((command) => match(command)));
    if (drop !== undefined) {
      drop.left -= 1;
      return beginsAt;
    }
    beginsAt = endsAt;
  }
  return undefined;
}
