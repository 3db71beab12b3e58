import { describe, expect, test } from "vitest";
import { type Explanation, explain, type Ours } from "../../src/engine/reconcile-explain.ts";
import type { ItemStatus } from "../../src/offergrid/status-update.ts";

type Known = Extract<Ours, { readonly state: "known" }>;

const PROBLEM = { code: "PUSH_EXHAUSTED", message: "Given up." } as const;

function known(status: ItemStatus, change: Partial<Known> = {}): Known {
  return {
    state: "known",
    status,
    isFinal: false,
    account: "acme",
    lane: { state: "empty" },
    told: [{ status: "pending" }],
    isLeftOut: false,
    movedAt: 0,
    isDivergenceTaken: true,
    canFollow: () => false,
    ...change,
  };
}

/** Each status was pushed by us, and taken. */
function told(...statuses: readonly ItemStatus[]): Known["told"] {
  return statuses.map((status) => ({ status, effect: `i1:${status}` }));
}

function lane(state: "moving" | "blocked", ...statuses: readonly ItemStatus[]): Known["lane"] {
  const pushes = statuses.map((status) => ({ id: `i1:${status}`, status }));
  return state === "moving" ? { state, pushes } : { state, pushes, problem: PROBLEM };
}

function kindOf(ours: Ours, theirs: string, more: { readonly scheduledFor?: string } = {}) {
  const item = { id: "i1", status: theirs, ...more };
  return explain({ itemId: "i1", account: "acme", ours, theirs: { state: "shown", item } }).kind;
}

const follows = (...statuses: readonly ItemStatus[]) => ({
  canFollow: (status: ItemStatus) => statuses.includes(status),
});

describe("a difference has one explanation", () => {
  const cases: readonly [Explanation["kind"], Known, string][] = [
    ["same", known("accepted"), "accepted"],
    ["on-its-way", known("accepted", { lane: lane("moving", "accepted") }), "pending"],
    ["handed-on", known("pending", follows("submitted_to_provider")), "submitted_to_provider"],
    ["left-out", known("accepted", { isLeftOut: true }), "pending"],
    [
      "behind-us-delivered",
      known("scheduled", { told: told("accepted", "scheduled") }),
      "accepted",
    ],
    ["behind-us-delivered", known("rejected", { told: told("rejected") }), "pending"],
    [
      "behind-us-delivered",
      known("failed", { told: told("in_progress", "failed") }),
      "in_progress",
    ],
    ["behind-us-delivered", known("cancelled", { told: told("failed", "cancelled") }), "failed"],
    ["ahead-of-us", known("accepted", follows("in_progress")), "in_progress"],
    ["cancelled-there", known("accepted", follows("cancelled")), "cancelled"],
    [
      "cancelled-there",
      known("accepted", { ...follows("cancelled"), lane: lane("moving", "accepted") }),
      "cancelled",
    ],
    ["blocked-but-done", known("accepted", { lane: lane("blocked", "accepted") }), "accepted"],
    ["blocked", known("accepted", { lane: lane("blocked", "accepted") }), "pending"],
    // The marketplace never took our status: what it shows is not a lost update.
    ["divergent", known("scheduled", { told: told("accepted") }), "accepted"],
    // It failed once and was rescheduled: lost, or failed again?
    [
      "divergent",
      known("scheduled", { ...follows("failed"), told: told("failed", "scheduled") }),
      "failed",
    ],
    ["divergent", known("accepted"), "rejected"],
    ["divergent", known("completed", { told: told("completed") }), "cancelled"],
    ["divergent", known("accepted"), "paused"],
    ["divergent", known("accepted", { account: "other" }), "accepted"],
  ];
  test.each(cases)("%s", (kind, ours, theirs) => {
    expect(kindOf(ours, theirs)).toBe(kind);
  });

  test("of a blocked lane everything up to what is shown has arrived", () => {
    const ours = known("in_progress", {
      lane: lane("blocked", "accepted", "scheduled", "in_progress"),
    });
    const item = { id: "i1", status: "scheduled" };
    const found = explain({
      itemId: "i1",
      account: "acme",
      ours,
      theirs: { state: "shown", item },
    });
    expect(found).toMatchObject({
      kind: "blocked-but-done",
      effects: ["i1:accepted", "i1:scheduled"],
      ours: "in_progress",
      theirs: "scheduled",
    });
  });

  test("two dates for one appointment are a person's business, two ways to write one are not", () => {
    const ours = known("scheduled", { scheduledFor: "2031-03-10T20:00:00.000Z" });
    expect(kindOf(ours, "scheduled", { scheduledFor: "2031-03-10T13:00:00-07:00" })).toBe("same");
    expect(kindOf(ours, "scheduled", { scheduledFor: "2031-03-11T13:00:00-07:00" })).toBe(
      "divergent",
    );
    expect(kindOf(ours, "scheduled")).toBe("same");
  });

  test("what one side does not know, or did not say, is told as that", () => {
    const about = { itemId: "i1", account: "acme" };
    const [none, unread] = [{ state: "none" }, { state: "unread", answer: "status 502" }] as const;
    const shown = { state: "shown", item: { id: "i1", status: "pending" } } as const;
    const unknown = { state: "unknown" } as const;
    expect(explain({ ...about, ours: unknown, theirs: shown }).kind).toBe("unknown-to-us");
    expect(explain({ ...about, ours: unknown, theirs: none }).kind).toBe("same");
    expect(explain({ ...about, ours: known("accepted"), theirs: none }).kind).toBe("unknown-there");
    expect(explain({ ...about, ours: known("accepted"), theirs: unread }).kind).toBe("unread");
    const unreadable = { state: "unreadable", message: "Not deployed." } as const;
    expect(explain({ ...about, ours: unreadable, theirs: shown }).kind).toBe("divergent");
  });
});
