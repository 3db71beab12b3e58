/** Texts that are sealed: what opens them, and what does not. */
import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { encodeActor } from "../../src/core/actor.ts";
import type { OutboxEffect } from "../../src/core/decision.ts";
import { openSeal, sealed, sealKeysOf, type SealingSide, unsealed } from "../../src/store/seal.ts";
import {
  encodeEffect,
  openActor,
  openEffect,
  openEntry,
  sealActor,
  sealEffect,
  sealEntries,
} from "../../src/store/sealed-texts.ts";
import { CANARIES, CANARY } from "../support/canaries.ts";

const K1 = `k1:${randomBytes(32).toString("base64")}`;
const K2 = `k2:${randomBytes(32).toString("base64")}`;

const PLAIN: SealingSide = {};
const OLD = sideWith(K1);
const BOTH = sideWith(K2, K1);

function sideWith(...keys: readonly string[]): SealingSide {
  return { seal: openSeal(sealKeysOf(keys)) };
}

const ACTOR = encodeActor({
  id: "i-1",
  revision: 7,
  machine: "m",
  version: "1",
  snapshot: { value: "a", context: { name: CANARY }, status: "active" } as never,
  timers: {},
  sources: {},
  parked: [],
});

const EFFECT: OutboxEffect = {
  id: 'i-1:7:0 "',
  name: "pushStatus",
  params: { providerNotes: CANARY },
  channel: "marketplace.a",
  isUrgent: true,
  at: 1_764_000_000_000,
};

const PLACE = ["letter", "event:1"] as const;

test("every text opens again, whichever key of the ring has sealed it, and none shows what it says", () => {
  const actor = sealActor(OLD, "i-1", ACTOR);
  const effect = sealEffect(OLD, "i-1", encodeEffect(EFFECT));
  const [entry = ""] = sealEntries(OLD, "i-1", [`{"who":"${CANARY}"}`]);
  expect(actor + effect + entry).not.toMatch(CANARIES);
  for (const side of [OLD, BOTH]) {
    expect(openActor(side, "i-1", actor)).toBe(ACTOR);
    expect(openEffect(side, "i-1", effect)).toEqual(EFFECT);
    expect(openEntry(side, "i-1", entry)).toEqual({ who: CANARY });
  }
});

test("what is plain is read as it is, with keys and without, and written so without", () => {
  for (const side of [PLAIN, BOTH]) {
    expect(openActor(side, "i-1", ACTOR)).toBe(ACTOR);
    expect(openEffect(side, "i-1", encodeEffect(EFFECT))).toEqual(EFFECT);
    expect(unsealed(side, PLACE, "{}")).toBe("{}");
  }
  expect(sealActor(PLAIN, "i-1", ACTOR)).toBe(ACTOR);
  expect(sealed(PLAIN, PLACE, "{}")).toBe("{}");
});

test("what scripts read stays in the open: the revision, an effect's class, time and id", () => {
  expect(sealActor(OLD, "i-1", ACTOR)).toMatch(/^7 ~k1\./);
  const effect = sealEffect(OLD, "i-1", encodeEffect(EFFECT));
  expect(effect.startsWith(`u ${EFFECT.at} {"id":${JSON.stringify(EFFECT.id)},`)).toBe(true);
  expect(JSON.parse(effect.slice(effect.indexOf("{")))).toMatchObject({ id: EFFECT.id });
});

test("a text with any one character changed, taken out or added does not open", () => {
  const text = sealed(BOTH, PLACE, '{"a":1}');
  for (let at = 0; at < text.length; at += 1) {
    const other = text[at] === "A" ? "B" : "A";
    const before = text.slice(0, at);
    for (const wrong of [
      before + other + text.slice(at + 1),
      before + text.slice(at + 1),
      before,
    ]) {
      if (!wrong.startsWith("~")) continue;
      expect(() => unsealed(BOTH, PLACE, wrong)).toThrow(/STORE_CORRUPT|STORE_KEY_MISSING/);
    }
    expect(() => unsealed(BOTH, PLACE, `${text}A`)).toThrow("STORE_CORRUPT");
  }
});

test("a text does not open for another item, at another revision, or in another kind of place", () => {
  const actor = sealActor(BOTH, "i-1", ACTOR);
  expect(() => openActor(BOTH, "i-2", actor)).toThrow("STORE_CORRUPT");
  expect(() => openActor(BOTH, "i-1", actor.replace(/^7/, "8"))).toThrow("STORE_CORRUPT");
  const effect = sealEffect(BOTH, "i-1", encodeEffect(EFFECT));
  for (const wrong of [effect.replace(/^u/, "r"), effect.replace("i-1:7:0", "i-1:7:1")]) {
    expect(() => openEffect(BOTH, "i-1", wrong)).toThrow("STORE_CORRUPT");
  }
  const [entry = ""] = sealEntries(BOTH, "i-1", ["{}"]);
  expect(() => unsealed(BOTH, ["letter", "i-1"], entry)).toThrow("STORE_CORRUPT");
});

test("a missing key is named, and so is what it would open", () => {
  const text = sealActor(BOTH, "i-1", ACTOR);
  for (const side of [PLAIN, OLD]) {
    expect(() => openActor(side, "i-1", text)).toThrow(/STORE_KEY_MISSING: .*i-1.*"k2"/);
  }
});

test("no two sealings of one text are alike", () => {
  const texts = Array.from({ length: 1_000 }, () => sealed(OLD, PLACE, "{}"));
  expect(new Set(texts).size).toBe(1_000);
});
