import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { type FastifyInstance, fastify } from "fastify";
import { expect, test } from "vitest";
import { cutIdleConnections } from "../../src/http/open-connections.ts";
import { eventually } from "../support/eventually.ts";

const POST = "POST / HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n";

/** A server that answers when it is told to. */
async function startServer() {
  const app = fastify();
  cutIdleConnections(app);
  const answers: (() => void)[] = [];
  const heads: string[] = [];
  app.addHook("onRequest", async ({ url }) => void heads.push(url));
  // As the product does: what is kept would hold up the end.
  app.addHook("onSend", async (_request, reply) => void reply.header("connection", "close"));
  app.post("/", async () => {
    await new Promise<void>((resolve) => answers.push(resolve));
    return "answer";
  });
  await app.listen({ host: "127.0.0.1", port: 0 });
  return { app, answers, heads };
}

async function connected(app: FastifyInstance, text: string): Promise<Socket> {
  const { port } = new URL(app.listeningOrigin);
  const count = await connections(app);
  const socket = connect({ port: Number(port), host: "127.0.0.1" }).on("error", () => undefined);
  await once(socket, "connect");
  socket.write(text);
  await eventually(async () => expect(await connections(app)).toBe(count + 1));
  return socket;
}

async function connections(app: FastifyInstance): Promise<number> {
  return new Promise((resolve) => {
    app.server.getConnections((_error, count) => resolve(count));
  });
}

test.each([
  ["nothing yet", ""],
  ["half a head", POST],
  ["half a body", `${POST}content-length: 5000\r\n\r\n{`],
  ["a chunk of many", `${POST}transfer-encoding: chunked\r\n\r\n5\r\n{`],
])("closing does not wait for a client that has sent %s", async (_what, text) => {
  const { app } = await startServer();
  const socket = await connected(app, text);
  await app.close();
  expect(await connections(app)).toBe(0);
  socket.destroy();
});

test("a request that was read is answered, however long others have not sent the rest of theirs", async () => {
  const { app, answers, heads } = await startServer();
  const whole = await connected(app, `${POST}content-length: 2\r\n\r\n{}`);
  const half = await connected(app, `${POST}content-length: 5000\r\n\r\n{`);
  await eventually(() => expect([answers.length, heads.length]).toEqual([1, 2]));
  const heard: string[] = [];
  whole.on("data", (chunk: Buffer) => heard.push(chunk.toString()));
  const closed = app.close();
  await once(half, "close");
  answers[0]?.();
  await closed;
  await eventually(() => expect(heard.join("")).toContain("answer"));
});
