/** Whatever a stranger can put into a queue, an HTTP body or an environment: JSON and text at their worst. */
import fc from "fast-check";
import type { JsonValue } from "../../src/core/event.ts";

/** Keys that mean something to JavaScript, and ways in which text goes wrong. */
const VICIOUS = [
  "",
  " ",
  "__proto__",
  "constructor",
  "prototype",
  "toString",
  "hasOwnProperty",
  "toJSON",
  "then",
  "length",
  "\ud800",
  "\udfff\ud800",
  "\u0000",
  "\u2028",
  "a:b",
  "{s0}",
  "*",
  "…",
  "0",
  "-0",
  "007",
  "1e400",
  "NaN",
  "Infinity",
  "9007199254740993",
  "2026-02-30T00:00:00Z",
  "2026-03-02T09:00:00",
  "+275760-09-13T00:00:00.001Z",
  "Invalid Date",
  "null",
  "{}",
  "[]",
] as const;

export const viciousText: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(...VICIOUS),
  fc.string({ unit: "binary", maxLength: 20 }),
  fc.string({ maxLength: 20 }),
  fc.array(fc.integer({ min: 0, max: 0xff_ff }), { maxLength: 8 }).map((units) => {
    return String.fromCharCode(...units);
  }),
);

/** Built as JSON.parse builds it: "__proto__" is a key like any other. */
export function objectOf(pairs: readonly (readonly [string, JsonValue])[]): JsonValue {
  const members = pairs.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`);
  return JSON.parse(`{${members.join(",")}}`) as JsonValue;
}

/** At most a few levels, or far more than any reader may walk. */
export const anyJson: fc.Arbitrary<JsonValue> = fc.oneof(
  { weight: 9, arbitrary: jsonOf(3) },
  { weight: 1, arbitrary: fc.integer({ min: 50, max: 1_000 }).map(nested) },
);

function jsonOf(levels: number): fc.Arbitrary<JsonValue> {
  const scalar: fc.Arbitrary<JsonValue> = fc.oneof(
    viciousText,
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
  );
  if (levels === 0) return scalar;
  const below = jsonOf(levels - 1);
  return fc.oneof(
    scalar,
    fc.array(below, { maxLength: 4 }),
    fc.array(fc.tuple(viciousText, below), { maxLength: 4 }).map(objectOf),
  );
}

function nested(levels: number): JsonValue {
  return JSON.parse(`${"[".repeat(levels)}${"]".repeat(levels)}`) as JsonValue;
}

/** `valid` with some of its members taken away, renamed or replaced by anything. */
export function damaged(valid: Readonly<Record<string, unknown>>): fc.Arbitrary<JsonValue> {
  const keys = Object.keys(valid);
  const value = fc.oneof(viciousText, fc.option(anyJson, { nil: undefined }));
  const damage = fc.oneof(
    fc.record({ key: fc.constantFrom(...keys), value }),
    fc.record({ key: viciousText, value: anyJson }),
  );
  return fc.array(damage, { minLength: 1, maxLength: 3 }).map((damages) => {
    const hit = new Map<string, unknown>(Object.entries(valid));
    for (const { key, value } of damages) {
      if (value === undefined) hit.delete(key);
      else hit.set(key, value);
    }
    return objectOf([...hit] as [string, JsonValue][]);
  });
}
