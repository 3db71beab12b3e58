/** A policy whose clocks ring at once: for tests that want reminders, and have no time to wait. */
import type { Policy } from "../../src/sla/policy.ts";

/** The first moments after a birth and after an acceptance. */
export const QUICK_POLICY: Policy = {
  version: "quick-1",
  zone: "UTC",
  calendars: {},
  ladders: {
    quick: { rungs: [{ afterMs: 1, to: ["owner"] }], breach: { to: ["owner", "lead"] } },
  },
  clocks: {
    respond: {
      kind: "duration",
      starts: [{ enters: ["pending"] }],
      stops: [{ leaves: ["pending", "submitted_to_provider"] }],
      targetMs: 300,
      calendar: "always",
      ladder: "quick",
    },
    contact: {
      kind: "duration",
      starts: [{ enters: ["accepted"] }],
      stops: [{ leaves: ["accepted"] }],
      targetMs: 300,
      calendar: "always",
      ladder: "quick",
    },
  },
  customerHours: "always",
};
