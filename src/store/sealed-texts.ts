/**
 * What of an item is sealed, and what stays in the open beside it: what scripts compare, sort by or look
 * for. That is bound to the sealed text, so it cannot be exchanged for another's either.
 *
 *   actor        <revision> ~…
 *   journal      ~…                                  bound to the item
 *   effect       <class> <time> {"id":…,"sealed":"~…"}
 *   blocked      ~…                                  bound to item and channel
 *   dead letter  ~…                                  bound to its id
 */
import type { OutboxEffect } from "../core/decision.ts";
import type { JournalEntry } from "../core/journal.ts";
import { keyIdOf, type Place, sealed, type SealingSide, unsealed } from "./seal.ts";

/** `text` is plain, as encodeActor made it. */
export function sealActor(side: SealingSide, itemId: string, text: string): string {
  if (side.seal === undefined) return text;
  const space = text.indexOf(" ");
  const revision = text.slice(0, space);
  return `${revision} ${side.seal.seal(["actor", itemId, revision], text.slice(space + 1))}`;
}

/** @throws EngineError STORE_KEY_MISSING, STORE_CORRUPT */
export function openActor(side: SealingSide, itemId: string, stored: string): string {
  const space = stored.indexOf(" ");
  if (stored[space + 1] !== "~") return stored;
  const revision = stored.slice(0, space);
  return `${revision} ${unsealed(side, ["actor", itemId, revision], stored.slice(space + 1))}`;
}

export function sealEntries(
  side: SealingSide,
  itemId: string,
  entries: readonly string[],
): readonly string[] {
  if (side.seal === undefined) return entries;
  return entries.map((entry) => sealed(side, ["journal", itemId], entry));
}

/** @throws EngineError STORE_KEY_MISSING, STORE_CORRUPT */
export function openEntry(side: SealingSide, itemId: string, stored: string): JournalEntry {
  return JSON.parse(unsealed(side, ["journal", itemId], stored)) as JournalEntry;
}

/** Plain: a seal comes to it when it is written. */
export function encodeEffect(effect: OutboxEffect): string {
  return `${effect.isUrgent ? "u" : "r"} ${effect.at} ${JSON.stringify(effect)}`;
}

/** `text` is plain, as encodeEffect made it. */
export function sealEffect(side: SealingSide, itemId: string, text: string): string {
  if (side.seal === undefined) return text;
  const { head, json } = effectParts(text);
  const { id } = JSON.parse(json) as OutboxEffect;
  return `${head}${JSON.stringify({ id, sealed: side.seal.seal(effectPlace(itemId, head, id), json) })}`;
}

/** @throws EngineError STORE_KEY_MISSING, STORE_CORRUPT */
export function openEffect(side: SealingSide, itemId: string, stored: string): OutboxEffect {
  const { head, json } = effectParts(stored);
  const effect = JSON.parse(json) as OutboxEffect | SealedEffect;
  if (!("sealed" in effect)) return effect;
  const text = unsealed(side, effectPlace(itemId, head, effect.id), effect.sealed);
  return JSON.parse(text) as OutboxEffect;
}

interface SealedEffect {
  readonly id: string;
  readonly sealed: string;
}

/** Under which key the stored effect stands; `undefined` for a plain one. */
export function effectKeyId(stored: string): string | undefined {
  const effect = JSON.parse(effectParts(stored).json) as OutboxEffect | SealedEffect;
  return "sealed" in effect ? keyIdOf(effect.sealed) : undefined;
}

function effectParts(text: string): { readonly head: string; readonly json: string } {
  const brace = text.indexOf("{");
  return { head: text.slice(0, brace), json: text.slice(brace) };
}

function effectPlace(itemId: string, head: string, id: string): Place {
  return ["effect", itemId, head, id];
}

export function blockedPlace(itemId: string, channel: string): Place {
  return ["blocked", itemId, channel];
}

export function letterPlace(id: string): Place {
  return ["letter", id];
}
