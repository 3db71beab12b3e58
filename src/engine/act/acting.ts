/** What operators' actions work with, and the item that one is about. */
import { type Actor, decodeActor, isLiving, type LivingActor } from "../../core/actor.ts";
import type { Limits, Setting } from "../../core/decision.ts";
import type { Machine } from "../../core/machine.ts";
import { oneLine } from "../../core/one-line.ts";
import type { EventSchemas } from "../../queue/producer.ts";
import { loadActors } from "../../store/actor-store.ts";
import type { DescribingSide } from "../describe-item.ts";
import { type Operator, type Refused, refused } from "./action.ts";
import type { FrontDoor } from "./front-door.ts";

export interface Acting extends DescribingSide {
  readonly frontDoor: FrontDoor;
  readonly schemas: EventSchemas;
  /** The workers' own, as what follows: a dry run decides by them. */
  readonly limits: Limits;
  /** About which new items somebody is asked; absent: about none. */
  readonly asksAbout?: Setting["asksAbout"];
}

/** What the workers would decide with, were they to decide now. */
export function settingOf(acting: Acting, now: number): Setting {
  const { machines, limits, clocks, asksAbout } = acting;
  return { machines, limits, clocks: clocks(), asksAbout, now };
}

export type FoundItem =
  | {
      readonly is: "living";
      readonly actor: LivingActor;
      readonly machine: Machine;
      readonly account: string;
    }
  /** Events wait for it, or this deployment does not have its machine. */
  | { readonly is: "not-living"; readonly actor: Actor }
  | { readonly is: "unknown" };

export async function findItem(
  { store, machines }: Pick<Acting, "store" | "machines">,
  itemId: string,
): Promise<FoundItem> {
  const [text] = await loadActors(store, [itemId]);
  if (text === undefined) return { is: "unknown" };
  const actor = decodeActor(itemId, text);
  const machine = machines.byId(actor.machine, actor.version);
  if (machine === undefined || !isLiving(actor)) return { is: "not-living", actor };
  const { account } = machine.attributes(actor.snapshot.context);
  return { is: "living", actor, machine, account };
}

/** An item that nobody knows and one of another account are the same to a key that is bound to one. */
export function mayAct({ boundTo }: Operator, account: string | undefined): boolean {
  return boundTo === undefined || boundTo === account;
}

export function unknownItem(itemId: string): Refused {
  return refused(
    "unknown",
    "ITEM_UNKNOWN",
    `Nothing is known of item ${oneLine(itemId)}. Check the id; an item is known once it was announced.`,
  );
}

/** The engine measures by Redis' clock; ms. */
export async function storeNow({ store }: Pick<Acting, "store">): Promise<number> {
  const [seconds, microseconds] = await store.redis.time();
  return Number(seconds) * 1_000 + Math.floor(Number(microseconds) / 1_000);
}
