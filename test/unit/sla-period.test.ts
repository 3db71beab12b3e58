import { describe, expect, test } from "vitest";
import { instantOf, isZone, type Period, periodOf, type PeriodUnit } from "../../src/sla/period.ts";

function period(time: string, unit: PeriodUnit, zone = "UTC"): Period {
  return periodOf(Date.parse(time), unit, zone);
}

function span(label: string, from: string, to: string): Period {
  return { label, from: Date.parse(from), to: Date.parse(to) };
}

describe("a period", () => {
  test("begins with its first moment and ends before the next one", () => {
    const march = span("2026-03", "2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z");
    expect(period("2026-03-01T00:00:00Z", "month")).toEqual(march);
    expect(period("2026-03-31T23:59:59.999Z", "month")).toEqual(march);
    expect(period("2026-04-01T00:00:00Z", "month").label).toBe("2026-04");
  });

  test("is a day of its zone, which may have 23 hours", () => {
    expect(period("2026-03-08T12:00:00Z", "day", "America/Los_Angeles")).toEqual(
      span("2026-03-08", "2026-03-08T08:00:00Z", "2026-03-09T07:00:00Z"),
    );
  });

  test("is a week from Monday on, in the year that has its Thursday", () => {
    expect(period("2027-01-01T12:00:00Z", "week")).toEqual(
      span("2026-W53", "2026-12-28T00:00:00Z", "2027-01-04T00:00:00Z"),
    );
  });
});

test.each([
  ["2026-03-02", "2026-03-01T23:00:00Z"],
  ["2026-03-02T09:00", "2026-03-02T08:00:00Z"],
  ["2026-03-02T09:00:00-08:00", "2026-03-02T17:00:00Z"],
])("%s in Berlin is %s", (text, instant) => {
  expect(instantOf(text, "Europe/Berlin")).toBe(Date.parse(instant));
});

test("what is no date, and what is no zone, is said to be none", () => {
  expect(["soon", "2026-02-30", ""].map((text) => instantOf(text, "UTC"))).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
  expect(["UTC", "Europe/Berlin", "Berlin", ""].map(isZone)).toEqual([true, true, false, false]);
});
