/** An item that the marketplace shows and nobody has announced: its birth, from what is shown. Pure. */
import type { ArrivedEvent } from "../core/arrival.ts";
import type { JsonObject } from "../core/event.ts";
import { onceId } from "../core/once-id.ts";
import { type Machines, schemaFault } from "../core/machine.ts";
import type { ShownItem } from "../offergrid/item-listing.ts";
import { ITEM_STATUSES } from "../offergrid/status-update.ts";
import { hasOffset, reportOf } from "./reconcile-ours.ts";

export type Adoption =
  | { readonly outcome: "adopt"; readonly events: readonly ArrivedEvent[] }
  | { readonly outcome: "refused"; readonly reason: string };

const BIRTH = "order.received";

/** Statuses that an item can be born with; any other is reached by a report after the birth. */
export const INITIAL: readonly string[] = ["pending", "submitted_to_provider"];

interface Foundling {
  readonly account: string;
  readonly item: ShownItem;
  readonly now: number;
  /** Events that came for it wait for its birth. */
  readonly isAwaited: boolean;
}

export function adoptionOf(machines: Machines, foundling: Foundling): Adoption {
  const { account, item, now, isAwaited } = foundling;
  const status = ITEM_STATUSES.find((each) => each === item.status);
  const schema = machines.byEventType(BIRTH)?.events[BIRTH];
  if (status === undefined || schema === undefined) {
    return refused(`no machine here takes ${BIRTH} for a "${item.status}" item`);
  }
  // What waits would be pushed at once, and might turn back an item that has gone on without it.
  if (isAwaited && !INITIAL.includes(status)) {
    return refused(
      `events wait for its ${BIRTH}, and it is "${status}" already: announce it by hand`,
    );
  }
  const birth = birthOf(foundling);
  const fault = schemaFault(schema, birth.data);
  if (fault !== undefined) return refused(`what is shown makes no ${BIRTH}: ${fault}`);
  if (INITIAL.includes(status)) return { outcome: "adopt", events: [birth] };
  const { scheduledFor } = item;
  const report = reportOf(
    {
      itemId: item.id,
      source: `offergrid/${account}`,
      status,
      id: "adopted",
      ...(scheduledFor !== undefined && { scheduledFor }),
    },
    now,
  );
  return { outcome: "adopt", events: [birth, report] };
}

function refused(reason: string): Adoption {
  return { outcome: "refused", reason };
}

function birthOf({ account, item, now }: Foundling): ArrivedEvent {
  const { orderId, offerId, offerName, createdAt, notes, metadata } = item;
  const isDated = createdAt !== undefined && hasOffset(createdAt);
  const given: JsonObject = {
    orderId,
    offerId,
    offerName,
    notes,
    metadata,
    createdAt: isDated ? createdAt : undefined,
    customerInfo: wordsIn(item.customerInfo),
    serviceAddress: wordsIn(item.serviceAddress),
    account,
    status: item.status === "pending" ? "pending" : "submitted_to_provider",
  };
  return {
    specversion: "1.0",
    // The webhook's own identity: the order is received once, by whichever road.
    id: onceId({ type: BIRTH, subject: item.id }),
    source: `offergrid/${account}`,
    type: BIRTH,
    subject: item.id,
    account,
    time: new Date(now).toISOString(),
    data: Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
  };
}

/** A field that is null, or no text, is a field that was not given. */
function wordsIn(fields: ShownItem["customerInfo"]): JsonObject | undefined {
  if (fields === undefined) return undefined;
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => typeof value === "string"),
  );
}
