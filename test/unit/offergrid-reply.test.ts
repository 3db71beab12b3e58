import { describe, expect, test } from "vitest";
import { describeReply, readResponse } from "../../src/offergrid/reply.ts";

const nowMs = Date.parse("2026-03-01T12:00:00Z");
const read = (headers: Record<string, string>, text = "", status = 429) =>
  readResponse({ status, headers, text, nowMs });

describe("a reply's hints", () => {
  test.each([
    ["the header in seconds", read({ "retry-after": "7" }), 7_000],
    ["a date", read({ "retry-after": "Sun, 01 Mar 2026 12:00:09 GMT" }), 9_000],
    ["a date that has passed", read({ "retry-after": "Sun, 01 Mar 2026 11:00:00 GMT" }), 0],
    ["the body in seconds", read({}, '{"statusCode":429,"retryAfter":60}'), 60_000],
    ["the longer of both", read({ "retry-after": "90" }, '{"retryAfter":60}'), 90_000],
    ["neither", read({}, "slow down"), undefined],
    ["nonsense", read({ "retry-after": "soon" }, '{"retryAfter":"soon"}'), undefined],
    ["a success that has such a field", read({}, '{"retryAfter":60}', 200), undefined],
  ])("retryAfter is read from %s", (_name, reply, expected) => {
    expect(reply).toHaveProperty("kind", "response");
    expect((reply as { retryAfterMs?: number }).retryAfterMs).toBe(expected);
  });

  test("the reset is measured on the marketplace's own clock", () => {
    const aheadSeconds = nowMs / 1000 + 3600;
    const reply = read({
      date: new Date(aheadSeconds * 1000).toUTCString(),
      "x-ratelimit-limit": "100",
      "x-ratelimit-remaining": "0",
      "x-ratelimit-reset": String(aheadSeconds + 42),
    });
    expect(reply).toMatchObject({ rateLimit: { limit: 100, remaining: 0, resetAfterMs: 42_000 } });
  });

  test("headers that are missing or no numbers are left out", () => {
    expect(read({ "x-ratelimit-remaining": "-1" })).toMatchObject({ rateLimit: {} });
  });
});

test.each([
  ['{"statusCode":400,"message":"Bad date","error":"Bad Request"}', "status 429: Bad date"],
  ['{"statusCode":400,"message":["a is b","c is d"]}', "status 429: a is b; c is d"],
  ['{"error":"is required","field":"status"}', "status 429: is required (field status)"],
  ['{"error":"Nope"}', "status 429: Nope"],
  ["<html>busy</html>", "status 429: <html>busy</html>"],
  ["", "status 429"],
])("the error %s is described in one line", (text, expected) => {
  expect(describeReply(read({}, text))).toBe(expected);
});
