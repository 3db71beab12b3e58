/** The names of channels: one for the operators, and for each account its marketplace and its check. */
import type { EffectChannel } from "./definition.ts";

export const OPERATOR_CHANNEL = "operator";

const MARKETPLACE = "marketplace.";
const SERVICEABILITY = "serviceability.";

/**
 * A lane is called after its channel and its item, with a colon between them, and an item may have one in
 * its name: an account's is encoded, or two lanes could be one list. What a configuration may call an
 * account stays as it is.
 */
export function marketplaceChannel(account: string): string {
  return `${MARKETPLACE}${encoded(account)}`;
}

/** Where it is asked whether the account can serve an item. */
export function serviceabilityChannel(account: string): string {
  return `${SERVICEABILITY}${encoded(account)}`;
}

function encoded(account: string): string {
  return encodeURIComponent(account.replace(/\p{Cs}/gu, "\ufffd"));
}

export function channelName(kind: EffectChannel | undefined, account: string): string {
  return kind === "marketplace" ? marketplaceChannel(account) : OPERATOR_CHANNEL;
}

/** `undefined` for every channel that is none where serviceability is asked. */
export function checkedAccountOf(channel: string): string | undefined {
  if (!channel.startsWith(SERVICEABILITY)) return undefined;
  return decodeURIComponent(channel.slice(SERVICEABILITY.length));
}

/** `undefined` for a channel that is no account's marketplace. */
export function accountOfChannel(channel: string): string | undefined {
  if (!channel.startsWith(MARKETPLACE)) return undefined;
  return decodeURIComponent(channel.slice(MARKETPLACE.length));
}
