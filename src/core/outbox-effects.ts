/** What a decision asks of the world, as the outbox holds it. */
import type { LivingActor } from "./actor.ts";
import type { ActionEffect } from "./advance.ts";
import { channelName, serviceabilityChannel } from "./channel-name.ts";
import { NOTIFY_EFFECT } from "./clock-notice.ts";
import type { OutboxEffect } from "./decision.ts";
import type { Machine } from "./machine.ts";
import { CHECK_EFFECT } from "./serviceability.ts";

/** Ids are made of the actor's revision, which the decision has raised. */
export function outboxEffects(
  machine: Machine,
  actor: LivingActor,
  decided: {
    readonly effects: readonly ActionEffect[];
    readonly at: number;
    readonly occurredAt: string | undefined;
  },
): OutboxEffect[] {
  const { effects, at, occurredAt } = decided;
  if (effects.length === 0) return [];
  const { account } = machine.attributes(actor.snapshot.context);
  return effects.map(({ name, params }, index) => {
    const declared = name === NOTIFY_EFFECT ? undefined : machine.effects[name];
    return {
      id: `${actor.id}:${actor.revision}:${index}`,
      name,
      params,
      channel:
        name === CHECK_EFFECT
          ? serviceabilityChannel(account)
          : channelName(declared?.channel, account),
      isUrgent: declared?.isUrgent?.(params) ?? false,
      at,
      ...(occurredAt !== undefined && { occurredAt }),
    };
  });
}
