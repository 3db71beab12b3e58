/**
 * When an answer is over, for whatever it holds: a place, a stream, work for nobody.
 *
 * Always true: what is asked for here happens once. When a client goes, Node tells the end of the one answer
 * that is being written. Those that wait behind it on the same connection never hear of it, so a client that
 * sends many requests at once and goes would keep their places for ever. The connection is watched as well,
 * with one listener, however many requests it carries.
 */
import type { FastifyReply } from "fastify";

type Connection = FastifyReply["request"]["raw"]["socket"];

const WAITING = new WeakMap<Connection, Set<() => void>>();

/** Calls `run` when the answer is out, or its client has gone, even if that was before. */
export function onceOver(reply: FastifyReply, run: () => void): void {
  const { socket } = reply.request.raw;
  const waiting = waitingOn(socket);
  const end = (): void => {
    if (waiting.delete(end)) run();
  };
  waiting.add(end);
  reply.raw.once("close", end);
  if (socket.destroyed) end();
}

/** Whether an answer is still to come on the connection, of those that somebody asked about. */
export function isAwaited(socket: Connection): boolean {
  return (WAITING.get(socket)?.size ?? 0) > 0;
}

function waitingOn(socket: Connection): Set<() => void> {
  const known = WAITING.get(socket);
  if (known !== undefined) return known;
  const waiting = new Set<() => void>();
  WAITING.set(socket, waiting);
  socket.once("close", () => {
    for (const end of waiting) end();
  });
  return waiting;
}
