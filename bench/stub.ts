/** The harness's side of the marketplace stub (stub-server.ts). */
import { startScript } from "./child-process.ts";

export interface StubCount {
  readonly patches: number;
  /** Requests that do not belong to the workload, such as a PATCH without an API key. */
  readonly unexpected: number;
  /** When the last PATCH was complete, in ms since the epoch; 0 before the first one. */
  readonly lastPatchAtMs: number;
}

export interface StubReport extends StubCount {
  /** Item id → statuses, in the order in which their PATCHes came. */
  readonly statuses: Readonly<Record<string, readonly string[]>>;
}

export interface Stub {
  readonly url: string;
  count(): Promise<StubCount>;
  report(): Promise<StubReport>;
  reset(): Promise<void>;
  stop(): Promise<void>;
}

export async function startStub(): Promise<Stub> {
  const child = startScript("bench/stub-server", {});
  const { port } = (await child.firstMessage()) as { readonly port: number };
  const url = `http://127.0.0.1:${port}`;
  const ask = async (path: string, method = "GET"): Promise<unknown> =>
    (await fetch(`${url}${path}`, { method })).json();
  return {
    url,
    count: async () => (await ask("/count")) as StubCount,
    report: async () => (await ask("/report")) as StubReport,
    reset: async () => void (await ask("/reset", "POST")),
    stop: () => child.stop(),
  };
}
