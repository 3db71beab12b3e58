/** What every use case works with. Built once, by the composition root. */
import type { Limits, Setting } from "../core/decision.ts";
import type { Machines } from "../core/machine.ts";
import type { LaneAddress } from "../store/outbox-store.ts";
import type { PolicyClockwork } from "../sla/clockwork.ts";
import type { Store } from "../store/store.ts";

export interface Engine {
  readonly store: Store;
  readonly machines: Machines;
  readonly limits: Limits;
  /** The SLA clocks by the policy in force: asked at each decision, for it may change. */
  readonly clocks: () => PolicyClockwork;
  /** Whether it is asked if a new item can be served. Absent: of none. */
  readonly asksAbout?: Setting["asksAbout"];
  /** How long the first answer to an event is kept, ms. */
  readonly dedupeForMs: number;
  /** ms since the epoch. The only clock of the engine: tests drive it. */
  readonly now: () => number;
  /** Says that a lane has effects to deliver. Losing a call costs time, never an effect. */
  readonly wake: (lane: LaneAddress) => void;
  /** Runs something one turn of the event loop later. Default: `setImmediate`. */
  readonly soon?: (run: () => void) => void;
}
