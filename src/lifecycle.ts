/**
 * The end of a process: what was opened last is closed first, with one deadline for all of it.
 *
 *   running ──SIGTERM, SIGINT or shutdown()──▶ closing ──all closed──▶ exit 0
 *                                               │ ├──one failed──▶ exit 1, after the others closed
 *                                               │ ├──deadline────▶ exit 1, naming what was open
 *                                               │ └──pointless───▶ the same, at once
 *                                               └──second signal─▶ exit 128 + signal, at once
 *
 * An exit without closing is safe, only slower to recover from: everything in hand is redelivered.
 */

export type CloseOutcome =
  | { readonly outcome: "closed" }
  | { readonly outcome: "failed"; readonly names: readonly string[] }
  | { readonly outcome: "late"; readonly open: readonly string[] };

/** What a closer resolves with when nothing that is still open can be closed in an orderly way. */
export const POINTLESS = Symbol("closing is pointless");

export interface Lifecycle {
  /** Registers what to close, in the order of opening. `name` appears in logs. */
  readonly onShutdown: (name: string, close: () => Promise<unknown>) => void;
  /** Closes everything; a second call joins the first. Never rejects and never exits. */
  readonly shutdown: (reason: string) => Promise<CloseOutcome>;
}

interface LifecycleLog {
  readonly info: (fields: object, message: string) => void;
  readonly error: (fields: object, message: string) => void;
}

export interface LifecycleOptions {
  readonly timeoutMs: number;
  readonly log: LifecycleLog;
}

interface Closer {
  readonly name: string;
  readonly close: () => Promise<unknown>;
}

export function createLifecycle({ timeoutMs, log }: LifecycleOptions): Lifecycle {
  const open: Closer[] = [];
  let closing: Promise<CloseOutcome> | undefined;
  return {
    onShutdown: (name, close) => {
      open.push({ name, close });
    },
    shutdown: (reason) => {
      if (closing === undefined) {
        log.info({ reason, open: open.map(({ name }) => name) }, "shutdown begun");
        closing = withDeadline(closeAll(open, log), { timeoutMs, open, log });
      }
      return closing;
    },
  };
}

/** The part of `process` that ending needs. */
export interface SignalSource {
  readonly on: (signal: "SIGTERM" | "SIGINT", listener: () => void) => unknown;
  readonly exit: (code: number) => void;
}

const SIGNAL_NUMBERS = { SIGINT: 2, SIGTERM: 15 } as const;

/** Makes SIGTERM and SIGINT close `lifecycle` and then end the process. */
export function endOnSignals(lifecycle: Lifecycle, source: SignalSource = process): void {
  let isEnding = false;
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    source.on(signal, () => {
      if (isEnding) {
        source.exit(128 + SIGNAL_NUMBERS[signal]);
        return;
      }
      isEnding = true;
      void lifecycle.shutdown(signal).then(({ outcome }) => {
        source.exit(outcome === "closed" ? 0 : 1);
      });
    });
  }
}

/** One after the other, because what was opened later may use what was opened before it. */
async function closeAll(open: Closer[], log: LifecycleLog): Promise<CloseOutcome> {
  const names: string[] = [];
  for (let closer = open.at(-1); closer !== undefined; closer = open.at(-1)) {
    try {
      if ((await closer.close()) === POINTLESS) return late(open);
    } catch (error) {
      names.push(closer.name);
      log.error({ err: error, name: closer.name }, "closing failed");
    }
    open.splice(open.indexOf(closer), 1);
  }
  return names.length === 0 ? { outcome: "closed" } : { outcome: "failed", names };
}

function late(open: readonly Closer[]): CloseOutcome {
  return { outcome: "late", open: open.map(({ name }) => name) };
}

async function withDeadline(
  closed: Promise<CloseOutcome>,
  { timeoutMs, open, log }: LifecycleOptions & { readonly open: readonly Closer[] },
): Promise<CloseOutcome> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<CloseOutcome>((done) => {
    timer = setTimeout(() => done(late(open)), timeoutMs);
  });
  const outcome = await Promise.race([closed, deadline]);
  clearTimeout(timer);
  if (outcome.outcome === "late") {
    log.error({ timeoutMs, open: outcome.open }, "shutdown ended before all was closed");
  } else {
    log.info({}, "shutdown ended");
  }
  return outcome;
}
