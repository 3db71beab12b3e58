/** An item's clocks, driven as the engine drives them: what was decided is what is kept. */
import { whatFollows, whenDue } from "../../src/sla/clock.ts";
import { DEFAULT_POLICY } from "../../src/sla/default-policy.ts";
import { type Fact, noticesOf } from "../../src/core/clock-fact.ts";
import { applyFacts, EMPTY_LEDGER, type Ledger, nextDueAt } from "../../src/core/clock-ledger.ts";
import { packLedger, unpackLedger } from "../../src/core/clock-ledger-codec.ts";
import {
  type Clock,
  type ItemRules,
  type Ladder,
  openPolicy,
  type Policy,
  rulesFor,
} from "../../src/sla/policy.ts";

export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

/** A Monday, 2026-06-01 at 09:00 UTC. */
export const MONDAY = Date.parse("2026-06-01T09:00:00Z");

export const WORKDAYS = {
  zone: "UTC",
  weekly: {
    mon: [["09:00", "17:00"]],
    tue: [["09:00", "17:00"]],
    wed: [["09:00", "17:00"]],
    thu: [["09:00", "17:00"]],
    fri: [["09:00", "17:00"]],
  },
} as const;

export const PAUSING = { pausesWhile: ["waiting.customer"], maxPauseMs: 14 * DAY_MS } as const;

const WORK = {
  kind: "duration",
  starts: [{ event: "start" }],
  stops: [{ event: "stop" }],
  targetMs: 8 * HOUR_MS,
  calendar: "work",
  ladder: "default",
  ...PAUSING,
} as const satisfies Clock;

const VISIT = {
  kind: "fixed-date",
  starts: [{ appointment: "dated" }],
  stops: [{ event: "arrived" }],
  offsetMs: 0,
  atDue: "breach",
  ladder: "visit",
} as const satisfies Clock;

const VISIT_LADDER: Ladder = {
  rungs: [
    { beforeMs: 48 * HOUR_MS, to: ["owner"] },
    { beforeMs: 24 * HOUR_MS, to: ["owner"] },
    { beforeMs: 30 * MINUTE_MS, to: ["owner"] },
  ],
  breach: { to: ["owner", "lead"] },
};

/** One clock of eight working hours, one for the appointment. */
export function testPolicy(changes: Partial<Policy> = {}): Policy {
  return {
    version: "test-1",
    zone: "UTC",
    calendars: { work: WORKDAYS },
    customerHours: "always",
    ladders: { default: DEFAULT_POLICY.ladders["default"] ?? { rungs: [] }, visit: VISIT_LADDER },
    clocks: { work: WORK, visit: VISIT },
    ...changes,
  };
}

export function testRules(changes: Partial<Policy> = {}): ItemRules {
  return rulesFor(openPolicy(testPolicy(changes)), { account: "a" });
}

/** The work clock with other fields, alone. */
export function workRules(clock: object = {}, changes: Partial<Policy> = {}): ItemRules {
  return testRules({ clocks: { work: { ...WORK, ...clock } }, ...changes });
}

export interface Told {
  readonly status?: string;
  readonly eventType?: string;
  readonly wait?: { readonly on: string; readonly reason?: string } | null;
  /** Ms; null takes the date away. */
  readonly appointment?: number | null;
  /** When it arrives, if not when it happens. */
  readonly arrives?: number;
}

/** Opened and closed by nobody: an item's state between calls of the pure functions. */
export class TestItem {
  ledger: Ledger = EMPTY_LEDGER;
  rules: ItemRules;
  readonly facts: Fact[] = [];
  #status: string | undefined;
  #wait: Told["wait"] = null;
  #appointment: number | null = null;

  constructor(rules: ItemRules) {
    this.rules = rules;
  }

  tell(at: number, told: Told): readonly Fact[] {
    const before = this.#status;
    this.#status = told.status ?? before ?? "none";
    if (told.wait !== undefined) this.#wait = told.wait;
    if (told.appointment !== undefined) this.#appointment = told.appointment;
    return this.keep(
      whatFollows(this.ledger, this.rules, {
        at,
        now: told.arrives ?? at,
        statusAfter: this.#status,
        ...(before !== undefined && { statusBefore: before }),
        ...(told.eventType !== undefined && { eventType: told.eventType }),
        ...(this.#wait && { waitAfter: this.#wait }),
        ...(this.#appointment !== null && { appointmentAfter: this.#appointment }),
      }),
    );
  }

  wake(now: number): readonly Fact[] {
    const facts = this.keep(whenDue(this.ledger, this.rules, now));
    const next = nextDueAt(this.ledger);
    if (next !== undefined && next <= now) throw new Error("It wakes again for what is done.");
    return facts;
  }

  /** Sleeps until each due time, up to an instant. */
  liveUntil(until: number): readonly Fact[] {
    const facts: Fact[] = [];
    for (let at = nextDueAt(this.ledger); at !== undefined && at <= until;) {
      facts.push(...this.wake(at));
      at = nextDueAt(this.ledger);
    }
    return facts;
  }

  /** Stored and read again, as between any two decisions. */
  keep(facts: readonly Fact[]): readonly Fact[] {
    this.facts.push(...facts);
    const stored = JSON.stringify(packLedger(applyFacts(this.ledger, facts)));
    this.ledger = unpackLedger(JSON.parse(stored));
    return facts;
  }

  clock(name = "work") {
    const clock = this.ledger.clocks[name];
    if (clock === undefined) throw new Error(`The clock ${name} is not open.`);
    return clock;
  }
}

/** The named rungs among facts, in order. */
export function rungsIn(facts: readonly Fact[]): readonly string[] {
  return facts.flatMap((fact) => (fact.kind === "rang" ? [fact.rung] : []));
}

export function keysIn(facts: readonly Fact[]): readonly string[] {
  return noticesOf(facts).map(({ key }) => key);
}

export function kindsIn(facts: readonly Fact[]): readonly string[] {
  return facts.map(({ kind }) => kind).filter((kind) => kind !== "armed" && kind !== "policy");
}

/** "Mon 09:00", in UTC. */
export function wall(at: number): string {
  const format = {
    weekday: "short",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  } as const;
  return new Date(at).toLocaleString("en-GB", { ...format, timeZone: "UTC" }).replace(",", "");
}
