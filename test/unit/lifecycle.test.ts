import { EventEmitter } from "node:events";
import { describe, expect, test, vi } from "vitest";
import { createLifecycle, endOnSignals, POINTLESS } from "../../src/lifecycle.ts";

const log = { info: () => undefined, error: () => undefined };

describe("the end of a process", () => {
  test("closes what was opened last first, once, whoever asks", async () => {
    const closed: string[] = [];
    const lifecycle = createLifecycle({ timeoutMs: 10_000, log });
    for (const name of ["redis", "queue", "worker"]) {
      lifecycle.onShutdown(name, async () => closed.push(name));
    }
    const both = await Promise.all([lifecycle.shutdown("done"), lifecycle.shutdown("again")]);
    expect(closed).toEqual(["worker", "queue", "redis"]);
    expect(both).toEqual([{ outcome: "closed" }, { outcome: "closed" }]);
  });

  test("goes on when one of them fails, and names it", async () => {
    const closeRedis = vi.fn<() => Promise<void>>(async () => undefined);
    const lifecycle = createLifecycle({ timeoutMs: 10_000, log });
    lifecycle.onShutdown("redis", closeRedis);
    lifecycle.onShutdown("worker", async () => Promise.reject(new Error("stuck")));
    expect(await lifecycle.shutdown("done")).toEqual({ outcome: "failed", names: ["worker"] });
    expect(closeRedis).toHaveBeenCalledOnce();
  });

  test("stops closing once that is pointless, and names what is open", async () => {
    const closeStore = vi.fn<() => Promise<void>>(async () => undefined);
    const lifecycle = createLifecycle({ timeoutMs: 60_000, log });
    lifecycle.onShutdown("store", closeStore);
    lifecycle.onShutdown("Redis", async () => POINTLESS);
    expect(await lifecycle.shutdown("done")).toEqual({ outcome: "late", open: ["store", "Redis"] });
    expect(closeStore).not.toHaveBeenCalled();
  });

  test("does not wait beyond the deadline, and names what is open", async () => {
    const lifecycle = createLifecycle({ timeoutMs: 1, log });
    lifecycle.onShutdown("redis", async () => undefined);
    lifecycle.onShutdown("worker", async () => new Promise(() => undefined));
    expect(await lifecycle.shutdown("done")).toEqual({
      outcome: "late",
      open: ["redis", "worker"],
    });
  });
});

describe("signals", () => {
  function processStub() {
    const emitter = new EventEmitter();
    const exit = vi.fn<(code: number) => void>();
    return { on: emitter.on.bind(emitter), emit: emitter.emit.bind(emitter), exit };
  }

  test("the first one closes everything and exits with 0", async () => {
    const lifecycle = createLifecycle({ timeoutMs: 10_000, log });
    const source = processStub();
    endOnSignals(lifecycle, source);
    source.emit("SIGTERM");
    await vi.waitFor(() => {
      expect(source.exit.mock.calls).toEqual([[0]]);
    });
  });

  test("the second one exits at once with the signal's code", () => {
    const lifecycle = createLifecycle({ timeoutMs: 10_000, log });
    lifecycle.onShutdown("worker", async () => new Promise(() => undefined));
    const source = processStub();
    endOnSignals(lifecycle, source);
    source.emit("SIGTERM");
    expect(source.exit).not.toHaveBeenCalled();
    source.emit("SIGINT");
    expect(source.exit.mock.calls).toEqual([[130]]);
  });
});
