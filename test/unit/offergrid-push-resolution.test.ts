import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { resolveUnknown, type UnknownPush } from "../../src/offergrid/push-resolution.ts";
import type { Reply } from "../../src/offergrid/reply.ts";
import { ITEM_STATUSES, type StatusUpdate } from "../../src/offergrid/status-update.ts";

type Body = Extract<Reply, { kind: "response" }>["body"];
const shown = (body: Body, status = 200): Reply => ({
  kind: "response",
  status,
  body,
  rateLimit: {},
});
const push = (
  previousStatus: UnknownPush["previousStatus"],
  intended: StatusUpdate,
): UnknownPush => ({ itemId: "i7", intended, previousStatus });
const verdictOf = (body: Body, unknown: UnknownPush): string =>
  resolveUnknown(shown(body), unknown).verdict;

const monday = "2026-03-02T09:00:00Z";
const mondayElsewhere = "2026-03-02T10:00:00.000+01:00";
const friday = "2026-03-06T09:00:00Z";

describe("a push whose answer was lost", () => {
  test.each<[string, Body, UnknownPush]>([
    ["the status arrived", { status: "accepted" }, push("pending", { status: "accepted" })],
    [
      "the status and the date arrived",
      { status: "scheduled", scheduledFor: mondayElsewhere },
      push("accepted", { status: "scheduled", scheduledFor: monday }),
    ],
    [
      "the note is shown differently, but the status moved",
      { status: "accepted", providerNotes: "Hi" },
      push("pending", { status: "accepted", providerNotes: "Hello" }),
    ],
    [
      "the new date of an appointment arrived",
      { status: "scheduled", scheduledFor: friday },
      push("scheduled", { status: "scheduled", scheduledFor: friday }),
    ],
    [
      "our own cancellation arrived",
      { status: "cancelled" },
      push("accepted", { status: "cancelled" }),
    ],
  ])("is applied when %s", (_name, body, unknown) => {
    expect(verdictOf(body, unknown)).toBe("already-applied");
  });

  test.each<[string, Body, UnknownPush]>([
    ["as before", { status: "accepted" }, push("accepted", { status: "scheduled" })],
    ["further back", { status: "pending" }, push("scheduled", { status: "in_progress" })],
    [
      "in progress before it failed",
      { status: "in_progress" },
      push("failed", { status: "cancelled" }),
    ],
    [
      "where the platform puts a new item",
      { status: "submitted_to_provider" },
      push("pending", { status: "accepted" }),
    ],
    ["new, and so is the item", { status: "pending" }, push(undefined, { status: "rejected" })],
    [
      "scheduled for the old date",
      { status: "scheduled", scheduledFor: monday },
      push("scheduled", { status: "scheduled", scheduledFor: friday }),
    ],
    [
      "unchanged, without a date or note to compare",
      { status: "scheduled" },
      push("scheduled", { status: "scheduled", scheduledFor: friday }),
    ],
    [
      "submitted by the platform, without our note",
      { status: "submitted_to_provider", providerNotes: "Sent to provider" },
      push(undefined, { status: "submitted_to_provider", providerNotes: "We are checking" }),
    ],
  ])("is not applied when the item is %s", (_name, body, unknown) => {
    expect(verdictOf(body, unknown)).toBe("not-applied");
  });

  test.each<[string, Body, UnknownPush]>([
    [
      "a status that nobody documents",
      { status: "on_hold" },
      push("accepted", { status: "scheduled" }),
    ],
    ["no status", { id: "i7" }, push("accepted", { status: "scheduled" })],
    ["a status between ours", { status: "scheduled" }, push("accepted", { status: "in_progress" })],
    ["a status beyond ours", { status: "active" }, push("accepted", { status: "scheduled" })],
    [
      "an outcome that is not ours",
      { status: "rejected" },
      push("pending", { status: "accepted" }),
    ],
    [
      "completed after we failed it",
      { status: "completed" },
      push("failed", { status: "scheduled" }),
    ],
    [
      "our status for a date that is not ours",
      { status: "scheduled", scheduledFor: monday },
      push("accepted", { status: "scheduled", scheduledFor: friday }),
    ],
  ])("is divergent when the marketplace shows %s", (_name, body, unknown) => {
    const resolution = resolveUnknown(shown(body), unknown);
    expect(resolution).toMatchObject({ verdict: "divergent", problem: { code: "PUSH_DIVERGENT" } });
  });

  test("yields to the reseller's cancellation", () => {
    const unknown = push("scheduled", { status: "in_progress" });
    expect(verdictOf({ status: "cancelled" }, unknown)).toBe("cancelled-upstream");
  });

  test("stays unread when the reply is no item", () => {
    const unknown = push("pending", { status: "accepted" });
    const silence: Reply = { kind: "no-response", reason: "timeout", sent: true, error: "" };
    for (const reply of [silence, shown({ status: "accepted" }, 500), shown("<html>"), shown([])]) {
      expect(resolveUnknown(reply, unknown)).toEqual({ verdict: "unread" });
    }
  });

  test.each<[string, Body]>([
    ["under data", { status: "success", data: { status: "accepted" } }],
    ["under item", { item: { status: "accepted", scheduledFor: null, providerNotes: 7 } }],
  ])("is found %s", (_name, body) => {
    expect(verdictOf(body, push("pending", { status: "accepted" }))).toBe("already-applied");
  });
});

test("only the intended status counts as applied, and a cancellation is always seen", () => {
  const status = fc.constantFrom(...ITEM_STATUSES);
  const holds = fc.check(
    fc.property(status, status, fc.option(status, { nil: undefined }), (seen, to, from) => {
      const verdict = verdictOf({ status: seen }, push(from, { status: to }));
      const isCancelled = seen === "cancelled" && to !== "cancelled";
      return (
        (verdict === "cancelled-upstream") === isCancelled &&
        (verdict !== "already-applied" || seen === to)
      );
    }),
  );
  expect(holds).toMatchObject({ failed: false });
});
