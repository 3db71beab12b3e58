/**
 * A week of one order item in New York (four hours behind UTC) under the default policy. Each test
 * goes on where the one before it ended; the clocks are only looked at when they ask for it.
 */
import { describe, expect, test } from "vitest";
import { DEFAULT_POLICY } from "../../src/sla/default-policy.ts";
import { describeClocks } from "../../src/sla/describe.ts";
import type { Fact } from "../../src/core/clock-fact.ts";
import { hold } from "../../src/sla/hold.ts";
import { nextDueAt } from "../../src/core/clock-ledger.ts";
import { packLedger } from "../../src/core/clock-ledger-codec.ts";
import { openPolicy, rulesFor } from "../../src/sla/policy.ts";
import { kindsIn, TestItem, wall } from "../support/sla-item.ts";

const rules = rulesFor(openPolicy(DEFAULT_POLICY), { account: "a", zone: "America/New_York" });
const item = new TestItem(rules);
const at = (text: string): number => Date.parse(`2026-06-${text}:00Z`);

/** "Mon 17:00 respond +4h → owner": what was told, and when. */
function toldUntil(until: string): readonly string[] {
  const told: string[] = [];
  for (let now = nextDueAt(item.ledger); now !== undefined && now <= at(until);) {
    told.push(...item.wake(now).flatMap((fact) => lineOf(now ?? 0, fact)));
    now = nextDueAt(item.ledger);
  }
  return told;
}

function lineOf(now: number, fact: Fact): readonly string[] {
  if (fact.kind !== "rang") return [];
  return [`${wall(now)} ${fact.clock} ${fact.rung} → ${fact.notice.to.join(" and ")}`];
}

function dues(): Readonly<Record<string, string>> {
  const { clocks } = describeClocks(item.ledger, rules, at("01T13:00"));
  return Object.fromEntries(
    clocks.map(({ clock, state }) => [
      clock,
      state.is === "paused" ? `paused on the ${state.on}` : wall(state.dueAt),
    ]),
  );
}

function outcomes(facts: readonly Fact[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    facts.flatMap((fact) => (fact.kind === "stopped" ? [[fact.clock, fact.outcome]] : [])),
  );
}

describe("a week of one order", () => {
  test("Monday, 9 in the morning: a reseller orders, and the provider has a day to answer", () => {
    item.tell(at("01T13:00"), { status: "pending", eventType: "order.received" });
    expect(dues()).toEqual({ respond: "Tue 13:00" });
  });

  test("after four hours without an answer the owner hears of the goal", () => {
    expect(toldUntil("01T17:59")).toEqual(["Mon 17:00 respond +4h → owner"]);
  });

  test("he accepts in time; now the customer is to be called, a date made, and all be done", () => {
    const facts = item.tell(at("01T18:00"), { status: "accepted" });
    expect(outcomes(facts)).toEqual({ respond: "met" });
    expect(dues()).toEqual({ contact: "Wed 18:00", schedule: "Sat 18:00", install: "Thu 18:00" });
  });

  test("Tuesday: a day has gone by without a call", () => {
    expect(toldUntil("02T19:59")).toEqual(["Tue 18:00 contact 50% → owner"]);
  });

  test("the customer must ask his landlord first: all three stand still, and nobody is told", () => {
    item.tell(at("02T20:00"), { wait: { on: "customer", reason: "The landlord must agree." } });
    expect(dues()).toEqual({
      contact: "paused on the customer",
      schedule: "paused on the customer",
      install: "paused on the customer",
    });
    expect(toldUntil("04T13:59")).toEqual([]);
  });

  test("Thursday: the landlord agrees, and every due time is 42 hours later", () => {
    item.tell(at("04T14:00"), { wait: null });
    expect(dues()).toEqual({ contact: "Fri 12:00", schedule: "Mon 12:00", install: "Sat 12:00" });
  });

  test("a date is made, Saturday at 7; it is too near for the reminder two days before", () => {
    const facts = item.tell(at("04T15:00"), { status: "scheduled", appointment: at("06T11:00") });
    expect(outcomes(facts)).toEqual({ contact: "met", schedule: "met" });
    expect(dues()).toEqual({
      install: "Sat 12:00",
      appointment: "Sat 11:00",
      arrival: "Sat 15:00",
    });
  });

  test("Friday: the owner is reminded at 7, the customer when he is up, at 8", () => {
    expect(toldUntil("05T15:59")).toEqual([
      "Fri 11:00 appointment -24h → owner",
      "Fri 12:00 appointment customer:-24h → customer",
    ]);
  });

  test("the customer prefers Sunday at 10, and is reminded of that as if of the first", () => {
    item.tell(at("05T16:00"), { appointment: at("07T14:00") });
    expect(toldUntil("07T13:59")).toEqual([
      "Sat 14:00 appointment -24h → owner",
      "Sat 14:00 appointment customer:-24h → customer",
      "Sun 13:30 appointment -30m → owner",
      "Sun 13:30 appointment customer:-30m → customer",
    ]);
  });

  test("Sunday: nobody comes, and four hours after the appointment it is a breach", () => {
    expect(toldUntil("07T18:59")).toEqual(["Sun 18:00 arrival breach → owner and lead"]);
  });

  test("the lead knows; until ten in the evening he wants to hear no more of it", () => {
    const request = { clock: "arrival", until: at("08T02:00"), by: "lea", role: "lead" } as const;
    const held = hold(item.ledger, rules, {
      kind: "acknowledged",
      ...request,
      now: at("07T19:00"),
    });
    item.keep(held.outcome === "held" ? held.facts : []);
    expect(toldUntil("08T03:00")).toEqual(["Mon 02:00 arrival breach+8h → owner and lead"]);
  });

  test("Monday: a technician comes at last, on time for nothing but the installation", () => {
    const facts = item.tell(at("08T05:00"), { status: "in_progress" });
    expect(outcomes(facts)).toEqual({ arrival: "missed" });
    expect(dues()).toEqual({ install: "Sat 12:00", "on-site": "Mon 09:00" });
    expect(toldUntil("08T07:30")).toEqual(["Mon 07:00 on-site 50% → owner"]);
  });

  test("and is done in time; no clock is left, and the ledger is nearly empty", () => {
    const facts = item.tell(at("08T07:30"), { status: "completed" });
    expect(outcomes(facts)).toEqual({ install: "met", "on-site": "met" });
    expect(nextDueAt(item.ledger)).toBeUndefined();
    expect(JSON.stringify(packLedger(item.ledger)).length).toBeLessThan(200);
  });

  test("the journal has all of it, and nobody was told a thing twice", () => {
    expect(kindsIn(item.facts).filter((kind) => kind === "rang")).toHaveLength(11);
    const keys = item.facts.flatMap((fact) => (fact.kind === "rang" ? [fact.notice.key] : []));
    expect(new Set(keys).size).toBe(keys.length);
  });
});
