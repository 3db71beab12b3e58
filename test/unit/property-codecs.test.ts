/** What the engine writes as text it reads back as it was, and the text of one is the text of no other. */
import type { JsonValue } from "../../src/core/event.ts";
import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Actor, decodeActor, encodeActor } from "../../src/core/actor.ts";
import type { ArrivedEvent } from "../../src/core/arrival.ts";
import { accountOfChannel, marketplaceChannel } from "../../src/core/channel-name.ts";
import { ERROR_CODES } from "../../src/core/errors.ts";
import {
  contentOf,
  decodeAnswer,
  encodeAnswer,
  type FirstAnswer,
  markOf,
} from "../../src/engine/event-identity.ts";
import { anyJson, objectOf, viciousText } from "../support/arbitrary-json.ts";

const name = viciousText.filter((text) => text !== "" && !/[\p{Cc}\p{Cs}]/u.test(text));
/** As it has been stored: JSON does not know -0. */
const storedJson = anyJson.map((value) => JSON.parse(JSON.stringify(value)) as JsonValue);
const moment = fc.integer({ min: 0, max: 4_000_000_000_000 });
/** A record as JSON.parse makes it, whose keys may be anything. */
const recordOf = <Value>(
  value: fc.Arbitrary<Value>,
): fc.Arbitrary<Readonly<Record<string, Value>>> =>
  fc
    .array(fc.tuple(viciousText, value), { maxLength: 3 })
    .map((pairs) => objectOf(pairs as never) as Readonly<Record<string, Value>>);

const event: fc.Arbitrary<ArrivedEvent> = fc.record(
  {
    specversion: fc.constant("1.0" as const),
    id: name,
    source: name,
    type: name,
    subject: name,
    time: moment.map((at) => new Date(at).toISOString()),
    data: recordOf(storedJson) as fc.Arbitrary<ArrivedEvent["data"]>,
    sequence: name,
    redrive: fc.integer({ min: 1, max: 3 }),
    isUndated: fc.constant(true as const),
  },
  { requiredKeys: ["specversion", "id", "source", "type", "subject", "time", "data"] },
);

const timer = fc.record(
  { dueAt: moment, token: name, failures: fc.nat() },
  {
    requiredKeys: ["dueAt", "token"],
  },
);
const mark = fc.record({ time: moment, sequence: name }, { requiredKeys: ["time"] });
const actor: fc.Arbitrary<Actor> = fc.record(
  {
    id: fc.constant("item"),
    revision: fc.nat(),
    machine: name,
    version: name,
    snapshot: fc.record({
      status: fc.constantFrom("active", "done"),
      value: storedJson,
      context: recordOf(storedJson),
    }) as fc.Arbitrary<NonNullable<Actor["snapshot"]>>,
    timers: recordOf(timer),
    sources: recordOf(mark),
    parked: fc.array(
      fc.record({ event, reason: fc.constantFrom("early", "gap", "unknown-item"), until: moment }),
      { maxLength: 2 },
    ),
  },
  { requiredKeys: ["id", "revision", "machine", "version", "timers", "sources", "parked"] },
);

describe("an actor", () => {
  test("is read back as it was stored, and stored again as the same bytes", () => {
    fc.assert(
      fc.property(actor, (each) => {
        const text = encodeActor(each);
        const read = decodeActor("item", text);
        expect(read).toEqual(each);
        expect(encodeActor(read)).toBe(text);
        // commit.lua compares the beginning of the text, up to the space.
        expect(text.startsWith(`${each.revision} `)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});

describe("an event's identity", () => {
  test("is the same for its source, id and attempt alone, and its content for what it says", () => {
    fc.assert(
      fc.property(event, event, (left, right) => {
        const isSame =
          left.id === right.id && left.source === right.source && left.redrive === right.redrive;
        expect(markOf(left) === markOf(right)).toBe(isSame);
        const moved = { ...left, time: right.time, id: right.id, source: right.source };
        expect(contentOf(moved)).toBe(contentOf(left));
        expect(markOf(left)).toMatch(/^[\w-]{16}$/);
        expect(contentOf(left)).toMatch(/^[\w-]{8}$/);
      }),
      { numRuns: 300 },
    );
  });

  test("survives its dead letter: what is redriven is the same event", () => {
    fc.assert(
      fc.property(event, (each) => {
        const letter = { kind: "event", id: "l", at: 0, event: each } as const;
        const kept = (JSON.parse(JSON.stringify(letter)) as typeof letter).event;
        expect(kept).toEqual(each);
        expect([markOf(kept), contentOf(kept)]).toEqual([markOf(each), contentOf(each)]);
      }),
      { numRuns: 300 },
    );
  });
});

test("no two lanes have one name, whatever accounts and items are called", () => {
  // Lists of the outbox are called after channel and item, with a colon between them.
  const part = fc.string({ unit: fc.constantFrom("a", ":", "%", "3A", "/"), maxLength: 4 });
  fc.assert(
    fc.property(fc.tuple(part, part), fc.tuple(part, part), (left, right) => {
      const [one, other] = [left, right].map(([account, item]) => {
        const channel = marketplaceChannel(account);
        expect(accountOfChannel(channel)).toBe(account);
        return `${channel}:${item}`;
      });
      expect(one === other).toBe(isDeepStrictEqual(left, right));
    }),
    { numRuns: 2_000 },
  );
});

test("an answer is read back as it was given", () => {
  const answer: fc.Arbitrary<FirstAnswer> = fc.record(
    {
      content: fc.constant("abcdefgh"),
      outcome: fc.constantFrom("applied", "parked", "stale", "rejected", "dead-letter"),
      revision: fc.nat(),
      code: fc.constantFrom(...ERROR_CODES),
    },
    { requiredKeys: ["content", "outcome", "revision"] },
  );
  fc.assert(
    fc.property(answer, (each) => {
      expect(decodeAnswer(`${each.content} ${encodeAnswer(each)}`)).toEqual(each);
    }),
  );
});
