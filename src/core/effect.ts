import type { JsonObject } from "./event.ts";

/**
 * What a decision asks the world to do, as data. XState's own action types are a union that cannot
 * be narrowed (`type` and `params` vary apart), so the core translates them once, here.
 */
export type Effect =
  /** A named action that the machine's definition declares: it goes to the outbox. */
  | { readonly kind: "action"; readonly name: string; readonly params: JsonObject }
  /** `after` or a delayed `raise`: an absolute due time is set in the same commit. */
  | {
      readonly kind: "timer.set";
      readonly id: string;
      readonly delayMs: number;
      readonly event: { readonly type: string; readonly [key: string]: unknown };
    }
  /** Leaving the state, or `cancel()`. Also sent for timers that fired or never were. */
  | { readonly kind: "timer.cancel"; readonly id: string }
  /** `emit()` and `log()`: kept in the journal, delivered nowhere. */
  | { readonly kind: "emit"; readonly event: JsonObject }
  | { readonly kind: "log"; readonly label: string | undefined; readonly value: unknown };
