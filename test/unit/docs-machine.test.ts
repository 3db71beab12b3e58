/** The machine that docs/machines.md shows is a file of ours: quoted word for word, registered and run. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { Actor } from "../../src/core/actor.ts";
import { dueAt, encodeActor } from "../../src/core/actor.ts";
import type { ArrivedEvent } from "../../src/core/arrival.ts";
import { decideDue, decideEvent } from "../../src/core/decide.ts";
import type { Decision, Verdict } from "../../src/core/decision.ts";
import type { JournalEntry } from "../../src/core/journal.ts";
import { registerMachines } from "../../src/core/machine.ts";
import { replayAll } from "../../src/core/replay.ts";
import { refundDefinition } from "../fixtures/refund.ts";
import { arrived, LIMITS } from "../support/small-machine.ts";

const DAY_MS = 24 * 3_600_000;
const machines = registerMachines([refundDefinition]);

/** One refund, told and looked at through the core alone. */
class Refund {
  actor: Actor | undefined;
  readonly journal: JournalEntry[] = [];
  readonly effects: string[] = [];

  tell(type: string, data: ArrivedEvent["data"], now = 0): Verdict {
    const event = arrived(type, { data });
    const setting = { machines, limits: LIMITS, now };
    const { decision, verdict } = decideEvent(setting, this.actor, event);
    this.#take(decision);
    return verdict;
  }

  wait(now: number): void {
    if (this.actor === undefined) throw new TypeError("nobody asked for a refund");
    this.#take(decideDue({ machines, limits: LIMITS, now }, this.actor));
  }

  status(): unknown {
    return this.actor?.snapshot?.value;
  }

  #take({ actor, entries, effects }: Decision): void {
    this.actor = actor;
    this.journal.push(...entries);
    this.effects.push(...effects.map(({ name }) => name));
  }
}

function requested(): Refund {
  const refund = new Refund();
  const data = { orderId: "order-1", amountCents: 4_900, requestedBy: "ann" };
  expect(refund.tell("refund.requested", data)).toEqual({ outcome: "applied" });
  return refund;
}

test("docs/machines.md quotes the fixture word for word", () => {
  const quoted = /```ts refund\.ts\n([\s\S]*?)```/.exec(readFileSync("docs/machines.md", "utf8"));
  expect(quoted?.[1]).toBe(readFileSync("test/fixtures/refund.ts", "utf8"));
});

describe("the refund of docs/machines.md", () => {
  test("is decided, paid and over, and its journal replays to the same bytes", () => {
    const refund = requested();
    expect(refund.tell("refund.approved", { approvedBy: "bob" }).outcome).toBe("applied");
    expect(refund.tell("refund.paid", { paymentId: "p-1" }).outcome).toBe("applied");
    expect(refund.status()).toBe("paid");
    expect(refund.effects).toEqual(["askToPay"]);
    const again = replayAll(machines, "item-1", refund.journal);
    expect(again && encodeActor(again)).toBe(refund.actor && encodeActor(refund.actor));
  });

  test("cannot be approved by who asked for it, and says so", () => {
    const refund = requested();
    expect(refund.tell("refund.approved", { approvedBy: "ann" })).toMatchObject({
      outcome: "rejected",
      problem: { code: "EVENT_NOT_ALLOWED", allowed: ["refund.approved", "refund.denied"] },
    });
  });

  test("waits with a payment that comes before its approval", () => {
    const refund = requested();
    expect(refund.tell("refund.paid", { paymentId: "p-1" }).outcome).toBe("parked");
    refund.tell("refund.approved", { approvedBy: "bob" });
    expect(refund.status()).toBe("paid");
  });

  test("reminds of a decision after two days, once", () => {
    const refund = requested();
    expect(refund.actor && dueAt(refund.actor)).toBe(2 * DAY_MS);
    refund.wait(2 * DAY_MS);
    refund.wait(3 * DAY_MS);
    expect(refund.effects).toEqual(["askToDecide"]);
    expect(refund.status()).toBe("requested");
  });
});
