/** What each channel needs: how its lanes are delivered, and who permits it. */
import { accountOfChannel, checkedAccountOf, OPERATOR_CHANNEL } from "../core/channel-name.ts";
import { limiterKey } from "../store/keys.ts";
import { giveBackPermits, takePermits, type PermitClass } from "../store/limiter.ts";
import type { Applier } from "./apply-events.ts";
import type { DrainOptions, Permits } from "./drain.ts";
import type { Engine } from "./engine.ts";
import { deliverNotice, type Notice, type NoticesWebhook } from "./notice.ts";
import { deliverPush } from "./push.ts";
import type { PushAccount } from "./push-ending.ts";
import { CHECKS_AT_ONCE, deliverCheck, type ServiceabilityCheck } from "./serviceability.ts";

/** Notices told side by side. They wait for nobody, and must not queue behind each other's settlement. */
const NOTICES_AT_ONCE = 512;

/** Those sent as webhooks wait for a receiver, who was not built for a flood. */
export const WEBHOOKS_AT_ONCE = 16;

/** Operators' notices need nobody's permission. */
export const FREE: Permits = {
  kind: "unlimited",
  take: async ({ urgent, routine }) => urgent + routine,
  giveBack: async () => undefined,
};

/** Permits of an account, urgent lanes first; routine ones only when the urgent ones all got theirs. */
function accountPermits({ store }: Engine, account: PushAccount): Permits {
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

export interface ChannelsOptions {
  readonly engine: Engine;
  readonly applier: Applier;
  readonly accounts: readonly PushAccount[];
  readonly tell: (notice: Notice) => void;
  /** Absent: notices are told only. */
  readonly webhook?: NoticesWebhook | undefined;
  /** By account: whom to ask whether an item can be served. */
  readonly checks?: ReadonlyMap<string, ServiceabilityCheck> | undefined;
  /** In [0, 1), for the jitter of repeats. Default: `Math.random`. */
  readonly random?: () => number;
}

export interface ServedChannel extends Pick<DrainOptions, "deliver" | "permits"> {
  /** Of its own, when it is not the pushes'. */
  readonly concurrency?: number;
}

/** What a drain of the channel needs; `undefined` for an account that is not configured. */
export function openChannels(
  options: ChannelsOptions,
): (channel: string) => ServedChannel | undefined {
  const { engine, applier, tell, webhook, checks, random = Math.random } = options;
  const accounts = new Map(options.accounts.map((account) => [account.name, account]));
  return (channel) => {
    if (channel === OPERATOR_CHANNEL) {
      const context = { engine, channel, tell, webhook, random };
      return {
        permits: FREE,
        deliver: (lane, isHeld) => deliverNotice({ ...context, isHeld }, lane),
        concurrency: webhook === undefined ? NOTICES_AT_ONCE : WEBHOOKS_AT_ONCE,
      };
    }
    const checked = checkedAccountOf(channel);
    if (checked !== undefined) {
      const context = { engine, applier, channel, check: checks?.get(checked), random };
      return {
        permits: FREE,
        deliver: (lane, isHeld) => deliverCheck({ ...context, isHeld }, lane),
        concurrency: CHECKS_AT_ONCE,
      };
    }
    const account = accounts.get(accountOfChannel(channel) ?? "");
    if (account === undefined) return undefined;
    const context = { engine, applier, account, channel, random };
    const permits = accountPermits(engine, account);
    return { permits, deliver: (lane, isHeld) => deliverPush({ ...context, isHeld }, lane) };
  };
}
