/** The platform's own step: a new item goes from pending to submitted_to_provider by itself. */
import type { Market } from "./market.ts";

export interface AutoSubmit {
  /** Forgets the items that still wait. */
  cancel(): void;
}

export function startAutoSubmit(market: Market): AutoSubmit {
  const timers = new Set<NodeJS.Timeout>();
  market.listen(({ event, item }) => {
    const { autoSubmitMs } = market.behaviour;
    if (event !== "order.created" || autoSubmitMs === null) return;
    const timer = setTimeout(() => {
      timers.delete(timer);
      market.submit(item.id);
    }, autoSubmitMs);
    timers.add(timer);
  });
  return {
    cancel: () => {
      for (const timer of timers) clearTimeout(timer);
      timers.clear();
    },
  };
}
