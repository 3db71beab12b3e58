/**
 * The events by which people silence a clock. They come in through the queue as any other event does,
 * so they are answered once, are journalled with who and why, and take part in the item's one history;
 * the machine does not see them.
 */
import { z } from "zod";
import type { ArrivedEvent } from "./arrival.ts";
import { ROLES } from "./clock-fact.ts";
import type { HoldRequest } from "./clockwork.ts";

/** Silences the repeats of a breach. */
export const ACKNOWLEDGED = "orderwright.clock.acknowledged";

/** Silences everything that operators would hear. */
export const SNOOZED = "orderwright.clock.snoozed";

export const holdDataSchema = z.strictObject({
  clock: z.string().min(1).max(64),
  /** ISO 8601 with an offset. */
  until: z.iso.datetime({ offset: true }),
  by: z.string().min(1).max(256),
  role: z.enum(ROLES),
  reason: z.string().min(1).max(1000),
});

export function isClockEvent(type: string): boolean {
  return type === ACKNOWLEDGED || type === SNOOZED;
}

/** The request, or the ZodError of data that is none. */
export function readHold(event: ArrivedEvent, now: number): HoldRequest | z.ZodError {
  const read = holdDataSchema.safeParse(event.data);
  if (!read.success) return read.error;
  const { clock, until, by, role } = read.data;
  const kind = event.type === ACKNOWLEDGED ? "acknowledged" : "snoozed";
  return { kind, clock, until: Date.parse(until), by, role, now };
}
