/** The names of channels: one for the operators, one for each marketplace account. */
import type { EffectChannel } from "./definition.ts";

export const OPERATOR_CHANNEL = "operator";

const MARKETPLACE = "marketplace.";

/**
 * A lane is called after its channel and its item, with a colon between them, and an item may have one in
 * its name: an account's is encoded, or two lanes could be one list. What a configuration may call an
 * account stays as it is.
 */
export function marketplaceChannel(account: string): string {
  return `${MARKETPLACE}${encodeURIComponent(account.replace(/\p{Cs}/gu, "\ufffd"))}`;
}

export function channelName(kind: EffectChannel | undefined, account: string): string {
  return kind === "marketplace" ? marketplaceChannel(account) : OPERATOR_CHANNEL;
}

/** `undefined` for a channel that is no account's. */
export function accountOfChannel(channel: string): string | undefined {
  if (!channel.startsWith(MARKETPLACE)) return undefined;
  return decodeURIComponent(channel.slice(MARKETPLACE.length));
}
