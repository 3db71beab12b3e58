/** Every effect of the journal has ended, or waits in a lane that a person was told of. */
import type { Evidence, ItemCase } from "./item-case.ts";
import { isEnding } from "./check-journal.ts";
import type { LaneRecord } from "./history.ts";
import type { Rule, Violation } from "./verdict.ts";

export function checkOutbox({ effectLetters }: Evidence, subject: ItemCase): Violation[] {
  const { item, effects, deliveries } = subject;
  const say = (rule: Rule, message: string): Violation => ({ rule, itemId: item.itemId, message });
  const ended = new Set(deliveries.filter(isEnding).map(({ effect }) => effect));
  const waiting = new Set(item.lanes.flatMap(({ pending }) => pending.map(({ id }) => id)));
  return [
    ...[...effects.values()]
      .filter(({ id }) => !ended.has(id) && !waiting.has(id))
      .map(({ id, name }) =>
        say("effect-lost", `effect ${id} (${name}) has no end and waits in no lane`),
      ),
    ...[...waiting]
      .filter((id) => ended.has(id) || !effects.has(id))
      .map((id) =>
        say(
          "journal-broken",
          `effect ${id} waits in a lane, and the journal ${ended.has(id) ? "tells its end" : "does not know it"}`,
        ),
      ),
    ...item.lanes.flatMap((lane) => {
      const fault = laneFault(lane, effectLetters);
      return fault === undefined ? [] : [say("stuck", fault)];
    }),
  ];
}

function laneFault(lane: LaneRecord, effectLetters: ReadonlySet<string>): string | undefined {
  const { channel, state, pending } = lane;
  const first = pending[0]?.id ?? "none";
  if (state !== "blocked") {
    return `channel ${channel} is ${state} with ${pending.length} effects, the first ${first}`;
  }
  if (pending.some(({ id }) => effectLetters.has(id))) return undefined;
  return `channel ${channel} is blocked at effect ${first}, and no dead letter says why`;
}
