/** The names of channels: one for the operators, one for each marketplace account. */
import type { EffectChannel } from "./definition.ts";

export const OPERATOR_CHANNEL = "operator";

const MARKETPLACE = "marketplace.";

export function marketplaceChannel(account: string): string {
  return `${MARKETPLACE}${account}`;
}

export function channelName(kind: EffectChannel | undefined, account: string): string {
  return kind === "marketplace" ? marketplaceChannel(account) : OPERATOR_CHANNEL;
}

/** `undefined` for a channel that is no account's. */
export function accountOfChannel(channel: string): string | undefined {
  return channel.startsWith(MARKETPLACE) ? channel.slice(MARKETPLACE.length) : undefined;
}
