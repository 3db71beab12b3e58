/** Timers, the clock and chance of the code under simulation: for the length of a run, the world's. */
import type { Owner, World } from "./world.ts";

/** How late a timer may be, ms. */
const TIMER_LATE_MS = 1;

/** An immediate comes within this, ms: replies that arrive meanwhile may overtake it. */
const IMMEDIATE_MS = 0.05;

/** Returns what puts the real ones back. */
export function installGlobals(world: World): () => void {
  const { setImmediate, setTimeout, clearTimeout, setInterval, clearInterval } = globalThis;
  const real = { setImmediate, setTimeout, clearTimeout, setInterval, clearInterval };
  const [realNow, realRandom] = [Date.now, Math.random];
  Object.assign(globalThis, simulatedTimers(world));
  Date.now = () => world.localNow();
  Math.random = () => world.random.next();
  return () => {
    Object.assign(globalThis, real);
    Date.now = realNow;
    Math.random = realRandom;
  };
}

type Callback = (...args: unknown[]) => void;

function simulatedTimers(world: World) {
  const clear = (timer: SimulatedTimer | undefined): void => timer?.cancel();
  return {
    setImmediate: (callback: Callback, ...args: unknown[]) => {
      const owner = world.current;
      const at = Math.max(
        world.now + world.random.next() * IMMEDIATE_MS,
        owner?.lastImmediateAt ?? 0,
      );
      if (owner !== undefined) owner.lastImmediateAt = at;
      return world.after(at - world.now, { owner, label: "" }, () => callback(...args));
    },
    setTimeout: (callback: Callback, delayMs = 0, ...args: unknown[]) =>
      new SimulatedTimer(world, { delayMs, isRepeated: false, call: () => callback(...args) }),
    setInterval: (callback: Callback, delayMs = 0, ...args: unknown[]) =>
      new SimulatedTimer(world, { delayMs, isRepeated: true, call: () => callback(...args) }),
    clearTimeout: clear,
    clearInterval: clear,
  };
}

interface TimerSetting {
  readonly delayMs: number;
  readonly isRepeated: boolean;
  readonly call: () => void;
}

class SimulatedTimer {
  readonly #world: World;
  readonly #owner: Owner | undefined;
  readonly #setting: TimerSetting;
  #cancel: () => void = () => undefined;

  constructor(world: World, setting: TimerSetting) {
    this.#world = world;
    this.#owner = world.current;
    this.#setting = setting;
    this.#arm();
  }

  cancel(): void {
    this.#cancel();
  }

  unref(): this {
    return this;
  }

  ref(): this {
    return this;
  }

  #arm(): void {
    const { delayMs, isRepeated, call } = this.#setting;
    const late = this.#world.random.next() * TIMER_LATE_MS;
    const { cancel } = this.#world.after(
      Math.max(1, delayMs) + late,
      { owner: this.#owner, label: "" },
      () => {
        // Armed first: the callback may clear it.
        if (isRepeated) this.#arm();
        call();
      },
    );
    this.#cancel = cancel;
  }
}
