/**
 * Which connections may be cut when the server closes: those on which nothing is under way. Node waits for
 * every connection that has not sent a whole request yet, for as long as its client likes, and a client that
 * connects ahead of time never sends any.
 *
 * Always true: a request that was read to its end is answered. One that was not has had no effect, and may be
 * sent again.
 */
import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { FastifyInstance } from "fastify";
import { onceOver } from "./answer-end.ts";

/** For the rest of a request that is arriving, ms: a body on its way takes less, one that drips has no end. */
const ARRIVAL_MS = 500;

/** Cuts them while `app` closes. */
export function cutIdleConnections(app: FastifyInstance): void {
  const connections = new Map<Socket, Set<IncomingMessage>>();
  app.server.on("connection", (socket: Socket) => {
    connections.set(socket, new Set());
    socket.once("close", () => connections.delete(socket));
  });
  app.addHook("onRequest", async ({ raw }, reply) => {
    const underWay = connections.get(raw.socket);
    if (underWay === undefined) return;
    underWay.add(raw);
    onceOver(reply, () => underWay.delete(raw));
  });
  const cut = (isIdle: (requests: readonly IncomingMessage[]) => boolean): void => {
    for (const [socket, requests] of connections) if (isIdle([...requests])) socket.destroy();
  };
  app.addHook("preClose", async () => {
    cut((requests) => requests.length === 0);
    const late = setTimeout(() => cut((all) => !all.some(({ complete }) => complete)), ARRIVAL_MS);
    app.server.once("close", () => clearTimeout(late));
  });
}
