/**
 * Lets a process live on a clock that is wrong: preloaded with `node --import`, it shifts what Date says
 * is now by ORDERWRIGHT_CHAOS_SKEW_MS. Timers and `performance` are left alone, as they are on a machine
 * whose clock is set wrong; dates that are built from a given time too.
 */
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const SKEW = "ORDERWRIGHT_CHAOS_SKEW_MS";
const IS_SKEWED = Symbol.for("orderwright.skewed-clock");

export interface SkewArguments {
  /** For node, before the script: preloads this file, with tsx when it is TypeScript. */
  readonly nodeArguments: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** How to spawn a process whose clock is `ms` ahead, or behind when negative. */
export function skewArguments(ms: number): SkewArguments {
  const loader = import.meta.url.endsWith(".ts")
    ? ["--import", createRequire(import.meta.url).resolve("tsx")]
    : [];
  const nodeArguments = [...loader, "--import", fileURLToPath(import.meta.url)];
  return { nodeArguments, env: { [SKEW]: String(ms) } };
}

function skewDate(ms: number): void {
  const honestNow = Date.now;
  const skewedNow = (): number => honestNow() + ms;
  Date.now = skewedNow;
  // The prototype stays the honest one's, so dates that the runtime makes are instances as well.
  globalThis.Date = new Proxy(Date, {
    construct: (target, args, newTarget) =>
      Reflect.construct(target, args.length === 0 ? [skewedNow()] : args, newTarget) as Date,
    apply: (target) => new target(skewedNow()).toString(),
  });
  Object.defineProperty(Date, IS_SKEWED, { value: true });
}

// Loaded once by a loader and once by an import, it must not shift twice.
const skewMs = Number(process.env[SKEW] ?? 0);
if (skewMs !== 0 && !Object.hasOwn(Date, IS_SKEWED)) skewDate(skewMs);
