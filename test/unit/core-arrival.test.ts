import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { SourceMark } from "../../src/core/actor.ts";
import {
  compareArrivals,
  compareSequences,
  markAfter,
  placeAfterWaiting,
  placeOf,
} from "../../src/core/arrival.ts";
import { arrived } from "../support/small-machine.ts";

const TEN = "2026-03-02T10:00:00Z";
const NOW = Date.parse("2026-03-02T12:00:00Z");
const at = (time: string, sequence?: string): SourceMark => ({
  time: Date.parse(time),
  ...(sequence !== undefined && { sequence }),
});

describe("by time, an event is", () => {
  test.each([
    { claim: "in order when its source has told nothing", mark: undefined, place: "in-order" },
    {
      claim: "stale when its source has told a later time",
      mark: at("2026-03-02T10:00:00.001Z"),
      place: "stale",
    },
    { claim: "in order when the times are equal", mark: at(TEN), place: "in-order" },
    { claim: "in order when it is later", mark: at("2026-03-02T09:00:00Z"), place: "in-order" },
    {
      claim: "in order when it is later by the offsets",
      mark: at("2026-03-02T10:59:59+01:00"),
      place: "in-order",
    },
  ])("$claim", ({ mark, place }) => {
    expect(placeOf(arrived("x", { time: TEN }), mark)).toBe(place);
  });
});

describe("by sequence, an event is", () => {
  test.each([
    {
      claim: "stale when it is told again under its number",
      told: "7",
      sequence: "7",
      place: "stale",
    },
    {
      claim: "stale when its number is lower, not its text",
      told: "10",
      sequence: "9",
      place: "stale",
    },
    {
      claim: "in order when its number is higher, not its text",
      told: "9",
      sequence: "10",
      place: "in-order",
    },
    {
      claim: "in order when its text is higher",
      told: "2026-a",
      sequence: "2026-b",
      place: "in-order",
    },
    { claim: "stale when its text is lower", told: "2026-b", sequence: "2026-a", place: "stale" },
    {
      claim: "in order beyond what a double can hold",
      told: "9007199254740992",
      sequence: "9007199254740993",
      place: "in-order",
    },
  ])("$claim", ({ told, sequence, place }) => {
    expect(placeOf(arrived("x", { sequence }), at(TEN, told))).toBe(place);
  });

  test("in order with a number though its time is earlier", () => {
    const event = arrived("x", { sequence: "8", time: "2020-01-01T00:00:00Z" });
    expect(placeOf(event, at(TEN, "7"))).toBe("in-order");
  });

  test("in order when it is redriven under the number that its refusal spent, and no later one", () => {
    const event = arrived("x", { sequence: "7", redrive: 1 });
    expect(placeOf(event, at(TEN, "7"))).toBe("in-order");
    expect(placeOf(event, at(TEN, "8"))).toBe("stale");
  });
});

test("what is redriven is in order whatever its time", () => {
  const event = arrived("x", { time: "2020-01-01T00:00:00Z" });
  expect(placeOf(event, at(TEN))).toBe("stale");
  expect(placeOf({ ...event, redrive: 1 }, at(TEN))).toBe("in-order");
});

test("only a source that promises integers has gaps, and its first number is 1", () => {
  const counted = (sequence: string) => arrived("x", { sequence, sequencetype: "Integer" });
  expect(placeOf(counted("1"), undefined)).toBe("in-order");
  expect(placeOf(counted("2"), undefined)).toBe("gap");
  expect(placeOf(counted("5"), at(TEN, "4"))).toBe("in-order");
  expect(placeOf(counted("6"), at(TEN, "4"))).toBe("gap");
  expect(placeOf(counted("4"), at(TEN, "4"))).toBe("stale");
  expect(placeOf(arrived("x", { sequence: "6" }), at(TEN, "4"))).toBe("in-order");
});

test("sequences have one order, whichever way they are compared; numbers that of their values", () => {
  const order = (left: string, right: string) => Math.sign(compareSequences(left, right));
  const sequence = fc.oneof(fc.nat().map(String), fc.string({ minLength: 1, maxLength: 5 }));
  fc.assert(
    fc.property(sequence, sequence, (left, right) => {
      expect(order(left, right) + order(right, left)).toBe(0);
    }),
  );
  fc.assert(
    fc.property(fc.nat(), fc.nat(), (left, right) => {
      expect(order(`${left}`, `${right}`)).toBe(Math.sign(left - right));
    }),
  );
});

test("events that wait together are tried by number within a source, else by time", () => {
  const late = arrived("x", { id: "late", time: "2026-03-02T12:00:00Z" });
  const early = arrived("x", { id: "early", time: "2026-03-02T08:00:00Z" });
  const first = arrived("x", { id: "first", sequence: "9", time: TEN });
  const second = arrived("x", { id: "second", sequence: "10", time: "2026-03-02T09:00:00Z" });
  expect([late, early].toSorted(compareArrivals).map(({ id }) => id)).toEqual(["early", "late"]);
  expect([second, first].toSorted(compareArrivals).map(({ id }) => id)).toEqual([
    "first",
    "second",
  ]);
});

test("a mark keeps the latest time, and its sequence when an event has none", () => {
  const early = arrived("x", { time: "2026-03-02T08:00:00Z" });
  expect(markAfter(early, at(TEN, "7"), NOW)).toEqual(at(TEN, "7"));
  expect(markAfter(arrived("x", { time: TEN, sequence: "1" }), undefined, NOW)).toEqual(
    at(TEN, "1"),
  );
});

describe("after waiting, an event is", () => {
  const mark = at("2026-03-02T10:00:00.001Z");

  test("still stale by a time that its producer gave", () => {
    expect(placeAfterWaiting(arrived("x", { time: TEN }), mark)).toBe("stale");
  });

  test("not overtaken by what was only enqueued later", () => {
    const event = arrived("x", { time: TEN, isUndated: true });
    expect(placeOf(event, mark)).toBe("stale");
    expect(placeAfterWaiting(event, mark)).toBe("in-order");
  });

  test("stale by its own number whoever gave its time", () => {
    const event = arrived("x", { time: TEN, isUndated: true, sequence: "6" });
    expect(placeAfterWaiting(event, at(TEN, "7"))).toBe("stale");
  });
});

test("a time ahead of now does not make stale what its source tells next", () => {
  const ahead = arrived("x", { time: "2031-01-01T00:00:00Z" });
  expect(markAfter(ahead, undefined, NOW)).toEqual({ time: NOW });
});
