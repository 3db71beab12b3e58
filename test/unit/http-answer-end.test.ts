import { once } from "node:events";
import { connect } from "node:net";
import { fastify } from "fastify";
import { expect, test } from "vitest";
import { onceOver } from "../../src/http/answer-end.ts";
import { eventually } from "../support/eventually.ts";

const REQUESTS = 30;

/** A server whose answers come when they are told to, and what it heard of their ends. */
async function startServer() {
  const app = fastify();
  const counts = { begun: 0, over: 0 };
  const answers: (() => void)[] = [];
  app.get("/", async (_request, reply) => {
    counts.begun += 1;
    onceOver(reply, () => (counts.over += 1));
    await new Promise<void>((resolve) => answers.push(resolve));
    return "answer";
  });
  await app.listen({ host: "127.0.0.1", port: 0 });
  const { port } = new URL(app.listeningOrigin);
  const socket = connect({ port: Number(port), host: "127.0.0.1" });
  await once(socket, "connect");
  socket.write("GET / HTTP/1.1\r\nhost: a\r\n\r\n".repeat(REQUESTS));
  await eventually(() => expect(counts.begun).toBe(REQUESTS));
  return {
    counts,
    socket,
    answerAll: () => {
      for (const answer of answers) answer();
    },
    close: () => app.close(),
  };
}

test("a client that goes ends every answer that it waits for, also those behind another", async () => {
  const { counts, socket, answerAll, close } = await startServer();
  socket.destroy();
  await eventually(() => expect(counts.over).toBe(REQUESTS));
  answerAll();
  await close();
  expect(counts.over).toBe(REQUESTS);
});

test("an answer that is out is over, once, and its connection is not", async () => {
  const { counts, socket, answerAll, close } = await startServer();
  socket.resume();
  answerAll();
  await eventually(() => expect(counts.over).toBe(REQUESTS));
  expect(socket.destroyed).toBe(false);
  socket.destroy();
  await close();
  expect(counts.over).toBe(REQUESTS);
});
