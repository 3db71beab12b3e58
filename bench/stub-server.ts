/**
 * The marketplace as the bench sees it: answers every status PATCH with 200 at once and remembers,
 * for each item, the statuses in the order in which they came. A process of its own, so that its
 * work is not counted as a contestant's. Tells its port to the parent in its first message.
 *
 * `PATCH /provider/orders/{itemId}/status` with `x-api-key` is counted. `GET /count` and
 * `GET /report` answer what was counted, `POST /reset` forgets it. Anything else is a 404 and counts
 * as unexpected: a contestant that asks for more than the workload is not comparable.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { StubCount, StubReport } from "./stub.ts";

const ITEM_STATUS_URL = /^\/provider\/orders\/([^/]+)\/status$/;

const statusesOf = new Map<string, string[]>();
let patches = 0;
let unexpected = 0;
let lastPatchAtMs = 0;

const server = createServer((request, response) => {
  if (request.method === "PATCH") takePatch(request, response);
  else answerHarness(request, response);
});
server.keepAliveTimeout = 60_000;
server.listen(0, "127.0.0.1", () => {
  process.send?.({ port: (server.address() as AddressInfo).port });
});
process.on("disconnect", () => process.exit());

function takePatch(request: IncomingMessage, response: ServerResponse): void {
  let body = "";
  request.setEncoding("utf8");
  request.on("data", (chunk: string) => (body += chunk));
  request.on("end", () => {
    const item = ITEM_STATUS_URL.exec(request.url ?? "")?.[1];
    const status = statusIn(body);
    if (item === undefined || status === undefined || !request.headers["x-api-key"]) {
      unexpected += 1;
      return answer(response, 404, "{}");
    }
    const statuses = statusesOf.get(item);
    if (statuses === undefined) statusesOf.set(item, [status]);
    else statuses.push(status);
    patches += 1;
    lastPatchAtMs = Date.now();
    return answer(response, 200, "{}");
  });
}

function statusIn(body: string): string | undefined {
  try {
    const { status } = JSON.parse(body) as { readonly status?: unknown };
    return typeof status === "string" ? status : undefined;
  } catch {
    return undefined;
  }
}

function answerHarness(request: IncomingMessage, response: ServerResponse): void {
  const count: StubCount = { patches, unexpected, lastPatchAtMs };
  const route = `${request.method} ${request.url}`;
  if (route === "GET /count") return answer(response, 200, JSON.stringify(count));
  if (route === "GET /report") {
    const report: StubReport = { ...count, statuses: Object.fromEntries(statusesOf) };
    return answer(response, 200, JSON.stringify(report));
  }
  if (route === "POST /reset") {
    statusesOf.clear();
    patches = unexpected = lastPatchAtMs = 0;
    return answer(response, 200, "{}");
  }
  unexpected += 1;
  return answer(response, 404, "{}");
}

function answer(response: ServerResponse, code: number, body: string): void {
  response.writeHead(code, {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(body),
  });
  response.end(body);
}
