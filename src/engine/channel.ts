/** What each channel needs: how its lanes are delivered, and who permits it. */
import type { JsonObject } from "../core/event.ts";
import { limiterKey } from "../store/keys.ts";
import { giveBackPermits, takePermits, type PermitClass } from "../store/limiter.ts";
import type { Lane, Settlement } from "../store/outbox-store.ts";
import type { Permits } from "./drain.ts";
import type { Engine } from "./engine.ts";
import type { PushAccount } from "./push-ending.ts";
import { delivered } from "./settlement.ts";

/** What an operator should know: a reminder, with its item. */
export interface Notice {
  readonly itemId: string;
  readonly effect: string;
  readonly name: string;
  readonly params: JsonObject;
}

/** Operators' notices need nobody's permission. */
export const FREE: Permits = {
  kind: "unlimited",
  take: async ({ urgent, routine }) => urgent + routine,
  giveBack: async () => undefined,
};

/** Permits of an account, urgent lanes first; routine ones only when the urgent ones all got theirs. */
export function accountPermits({ store }: Engine, account: PushAccount): Permits {
  const key = limiterKey(store.layout, account.name);
  let lastSecond = 0;
  const take = async (want: number, permitClass: PermitClass): Promise<number> => {
    if (want === 0) return 0;
    const request = { limit: account.limitPerMinute, want, class: permitClass };
    const grant = await takePermits(store.redis, key, request);
    if (grant.outcome !== "granted") return 0;
    lastSecond = grant.second;
    return grant.permits;
  };
  return {
    kind: account.limitPerMinute === null ? "unlimited" : "limited",
    take: async ({ urgent, routine }) => {
      const granted = await take(urgent, "urgent");
      return granted < urgent ? granted : granted + (await take(routine, "routine"));
    },
    giveBack: async (permits) => {
      if (account.limitPerMinute === null) return;
      await giveBackPermits(store.redis, key, { permits, second: lastSecond });
    },
  };
}

/** Tells the operators, and is done: a notice has no answer to wait for. */
export async function deliverNotice(
  engine: Engine,
  lane: Lane,
  { channel, tell }: { readonly channel: string; readonly tell: (notice: Notice) => void },
): Promise<Settlement> {
  const [effect] = lane.effects;
  if (effect === undefined) throw new TypeError("a lane without effects was claimed");
  const startedAt = engine.now();
  const { id, name, params } = effect;
  tell({ itemId: lane.itemId, effect: id, name, params });
  return delivered({ lane, channel, effect, merged: [], startedAt }, { now: engine.now() });
}
