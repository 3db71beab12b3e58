import { describe, expect, test } from "vitest";
import { pageOf } from "../../src/offergrid/sandbox/listing.ts";
import { countRequest, type RateWindow } from "../../src/offergrid/sandbox/rate-limit.ts";

const MINUTE = 60_000;

describe("rate limit", () => {
  test("a fixed window opens again with the clock minute", () => {
    const rule = { limit: 2, windowMs: MINUTE, style: "fixed" } as const;
    const window: RateWindow = { admittedAt: [] };
    const verdicts = [50_000, 59_998, 59_999, 60_000].map((now) => countRequest(window, rule, now));
    expect(verdicts.map((verdict) => verdict.outcome)).toEqual([
      "admitted",
      "admitted",
      "limited",
      "admitted",
    ]);
    expect(verdicts[2]).toMatchObject({ remaining: 0, resetAt: MINUTE });
  });

  test("a sliding window opens again a minute after its oldest request, refusals not counted", () => {
    const rule = { limit: 2, windowMs: MINUTE, style: "sliding" } as const;
    const window: RateWindow = { admittedAt: [] };
    const times = [50_000, 60_000, 109_999, 110_000, 110_001];
    const verdicts = times.map((now) => countRequest(window, rule, now));
    expect(verdicts.map((verdict) => verdict.outcome)).toEqual([
      "admitted",
      "admitted",
      "limited",
      "admitted",
      "limited",
    ]);
    expect(verdicts[2]?.resetAt).toBe(110_000);
    expect(verdicts[4]?.resetAt).toBe(120_000);
  });
});

describe("list paging", () => {
  const all = [1, 2, 3, 4, 5];
  const view = (entry: number): number => entry * 10;

  test("each style walks the whole list once", () => {
    expect(pageOf(all, {}, { style: "none", view })).toEqual([10, 20, 30, 40, 50]);
    expect(pageOf(all, { page: "2", limit: "2" }, { style: "page", view })).toEqual({
      data: [30, 40],
      page: 2,
      limit: 2,
      total: 5,
    });
    const first = { data: [10, 20, 30], nextCursor: "3" };
    expect(pageOf(all, { limit: "3" }, { style: "cursor", view })).toEqual(first);
    const last = { data: [40, 50], nextCursor: null };
    expect(pageOf(all, { limit: "3", cursor: "3" }, { style: "cursor", view })).toEqual(last);
  });
});
