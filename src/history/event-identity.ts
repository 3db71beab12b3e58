/**
 * Who an event is. `source` and `id` name a fact; each redrive of it is a new attempt, and the outcome
 * of the last attempt is the outcome of the fact.
 */

interface Identified {
  readonly source: string;
  readonly id: string;
  readonly redrive?: number | undefined;
}

/** The same for all attempts. */
export function factOf({ source, id }: Identified): string {
  return `${source}\u0000${id}`;
}

/** One attempt of a fact. */
export function identityOf(event: Identified): string {
  return `${factOf(event)}\u0000${attemptOf(event)}`;
}

/** 0 for the event as its source sent it. */
export function attemptOf({ redrive }: Pick<Identified, "redrive">): number {
  return redrive ?? 0;
}

/** As people read it in a violation. */
export function nameOf(event: Identified): string {
  const attempt = attemptOf(event) === 0 ? "" : `, redrive ${attemptOf(event)}`;
  return `event ${event.id} of ${event.source}${attempt}`;
}
