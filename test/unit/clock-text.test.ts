/** What operators read of clocks: the facts as sentences, the clocks as a table. */
import { describe, expect, test } from "vitest";
import { untilOf } from "../../src/cli/clock-hold.ts";
import { factSentences } from "../../src/cli/clock-story.ts";
import { attentionText, clocksText } from "../../src/cli/clock-text.ts";
import { itemText } from "../../src/cli/item-text.ts";
import { journalText } from "../../src/cli/journal-text.ts";
import { momentText, spanText } from "../../src/cli/text-layout.ts";
import type { Fact } from "../../src/core/clock-fact.ts";
import { type TestEngine, startTestEngine } from "../../src/testing/test-engine.ts";
import { definitions } from "../../machines/registry.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS, MONDAY } from "../support/sla-item.ts";

const at = MONDAY;
const dueAt = MONDAY + DAY_MS;
const clock = "respond";
const notice = { key: "k", to: ["owner", "lead"] } as const;

const RANG = {
  kind: "rang",
  clock,
  at,
  epoch: 1,
  lane: "operator",
  markMs: 1,
  notice,
} as const;

const JEOPARDY = {
  kind: "jeopardy",
  at,
  level: "yellow",
  was: "green",
  notice: { key: "k", to: ["owner"] },
} as const;

describe("a fact as a sentence", () => {
  test.each<[string, Fact]>([
    ["clock respond started, due Tue 2 Jun 09:00", { kind: "started", clock, at, epoch: 1, dueAt }],
    [
      "clock respond started too late, was due Mon 1 Jun 09:00",
      { kind: "started", clock, at, epoch: 1, dueAt: at, targetMs: -1, markMs: 0 },
    ],
    [
      "clock respond paused: waits for the customer",
      { kind: "paused", clock, at, on: "customer", accruedMs: 1, endsAt: dueAt },
    ],
    [
      "clock respond runs again, due Tue 2 Jun 09:00",
      { kind: "resumed", clock, at, dueAt, by: "event" },
    ],
    [
      "clock respond runs again, due Tue 2 Jun 09:00: it was paused for as long as is allowed → owner, lead",
      { kind: "resumed", clock, at, dueAt, by: "limit", notice },
    ],
    ["BREACH respond, was due Mon 1 Jun 09:00", { kind: "breached", clock, at }],
    [
      "reminder 75% of respond → owner, lead, too late for 50%",
      { ...RANG, rung: "75%", skipped: ["50%"] },
    ],
    [
      "reminder -24h of respond → customer",
      {
        ...RANG,
        rung: "customer:-24h",
        lane: "customer",
        notice: { key: "k", to: ["customer"] },
      },
    ],
    ["respond is still late, 4h after it was due → owner, lead", { ...RANG, rung: "breach+4h" }],
    [
      "clock respond met, 1 h 30 min used",
      { kind: "stopped", clock, at, outcome: "met", usedMs: 90 * MINUTE_MS, dueAt },
    ],
    [
      "clock respond MISSED: ended 1 d late, was due Sun 31 May 09:00",
      { kind: "stopped", clock, at, outcome: "missed", usedMs: 1, dueAt: at - DAY_MS },
    ],
    [
      "clock respond acknowledged by ada until Tue 2 Jun 09:00",
      { kind: "acknowledged", clock, at, until: dueAt, by: "ada" },
    ],
    [
      "jeopardy green → yellow, expected Tue 2 Jun 09:00, promised Mon 1 Jun 09:00 → owner",
      { ...JEOPARDY, predictedAt: dueAt, committedAt: at },
    ],
  ])("%s", (sentence, fact) => {
    expect(factSentences([fact])).toEqual([sentence]);
  });

  test("a breach and its telling are one sentence, and what the engine needs is left out", () => {
    const facts: Fact[] = [
      { kind: "policy", at, version: "acme-1" },
      { kind: "breached", clock, at, notice: { key: "n", to: ["marketplace"] }, notedAt: at },
      { ...RANG, rung: "breach" },
      { kind: "armed", nextAt: dueAt },
    ];
    expect(factSentences(facts)).toEqual([
      "BREACH respond, was due Mon 1 Jun 09:00 → owner, lead, marketplace",
    ]);
    const [policy, , , armed] = facts as [Fact, Fact, Fact, Fact];
    expect(factSentences([policy, armed])).toEqual(["measured by policy acme-1"]);
    expect(factSentences([armed])).toEqual(["looks again Tue 2 Jun 09:00"]);
  });
});

/** Accepted after five hours, waiting for the customer from the 35th to the 45th. */
async function waitingItem(): Promise<TestEngine> {
  const engine = await startTestEngine({
    machines: definitions({ orderItem: {} }),
    now: MONDAY,
  });
  const tell = (type: string, data: object) =>
    engine.send({ type, subject: "item-1", source: "crm/acme", data });
  await tell("order.received", { orderId: "o-1" });
  await engine.advance({ hours: 5 });
  await tell("order.accepted", { providerNotes: "Yes." });
  await engine.advance({ hours: 30 });
  await tell("wait.started", { on: "customer", reason: "No access to the cellar." });
  await engine.advance({ hours: 10 });
  return engine;
}

async function lateItem(): Promise<TestEngine> {
  const engine = await waitingItem();
  await engine.send({ type: "wait.ended", subject: "item-1", source: "crm/acme" });
  await engine.advance({ hours: 40 });
  const until = new Date(engine.now + 4 * HOUR_MS).toISOString();
  await engine.send({
    type: "orderwright.clock.acknowledged",
    subject: "item-1",
    source: "operator:ada",
    data: { clock: "contact", until, by: "ada", role: "owner", reason: "Calling at four." },
  });
  await engine.advance({ hours: 1 });
  return engine;
}

async function described(engine: TestEngine) {
  const item = await engine.item("item-1");
  if (item === undefined) throw new Error("nothing is known of it");
  return item;
}

describe("an item's clocks", () => {
  test("a paused clock says on whom and until when", async () => {
    const text = clocksText(await described(await waitingItem()));
    expect(text?.split("\n").slice(0, 2)).toEqual([
      "  CLOCK     STATE   USED  DUE              UTC                     NEXT REMINDER",
      "  contact   paused  62%   waits: customer  until Tue 16 Jun 20:00",
    ]);
    expect(text?.split("\n").at(-1)).toBe("  Waits for the customer since Tue 2 Jun 20:00, 10 h.");
  });

  test("a late clock says for how long, and who takes care of it", async () => {
    const text = clocksText(await described(await lateItem()));
    expect(text?.split("\n")).toEqual([
      "  CLOCK     STATE    USED  DUE         UTC               NEXT REMINDER",
      "  contact   LATE     147%  23 h late   Thu 4 Jun 00:00   breach+24h in 3 h → owner, lead",
      "    acknowledged by ada until Fri 5 Jun 02:00, 3 h more: Calling at four.",
      "  schedule  running  59%   in 2 d 1 h  Sun 7 Jun 00:00   75% in 19 h → owner, lead",
      "  install   running  29%   in 7 d 1 h  Fri 12 Jun 00:00  50% in 2 d 1 h → owner",
      "  Promised date green: expected Mon 8 Jun 04:00, promised Fri 12 Jun 00:00, 3 d 20 h to spare.",
    ]);
  });

  test("the journal tells them as a story, and no line is too wide", async () => {
    const item = await described(await lateItem());
    const story = journalText(item.journal);
    const indent = " ".repeat(24);
    expect(story).toContain(
      `pending → accepted                crm/acme\n${indent}clock respond met, 5 h used\n${indent}clock contact started, due Wed 3 Jun 14:00`,
    );
    expect(story).toContain("  2026-06-01T13:00:00Z  reminder +4h of respond → owner\n");
    expect(story).toContain(`${indent}because: Calling at four.`);
    expect(story).not.toMatch(/armed|stage|looks again/);
    expect(
      itemText(item)
        .split("\n")
        .filter((line) => line.length > 110),
    ).toEqual([]);
  });

  test("an item without a machine that has clocks shows none", async () => {
    const { clocks: _clocks, ...item } = await described(await waitingItem());
    expect(clocksText(item)).toBeUndefined();
  });

  test("best practices are sentences with the name of their rule", async () => {
    const item = await described(await waitingItem());
    expect(item.warnings.map(({ rule }) => rule)).toContain("response");
    expect(itemText(item)).toMatch(/\nBest practices\n {2}\S.*\. \(response\)/);
  });
});

test("attention names an item once, with a line for each reason", () => {
  const text = attentionText(
    [
      {
        itemId: "item-1",
        since: at,
        status: "accepted",
        account: "acme",
        late: [
          { clock: "contact", dueAt: at, ackUntil: at + 3 * HOUR_MS },
          { clock: "push-lag", dueAt: at + MINUTE_MS, snoozedUntil: at + HOUR_MS },
        ],
        jeopardy: { level: "red", since: at },
      },
      { itemId: "item-2", since: at, late: [] },
    ],
    at + 2 * HOUR_MS,
  );
  expect(text.split("\n")).toEqual([
    "ITEM    STATUS    ACCOUNT  WHAT                      SINCE (UTC)      SILENT",
    "item-1  accepted  acme     contact 2 h late          Mon 1 Jun 09:00  acknowledged, 1 h more",
    "                           push-lag 1 h 59 min late  Mon 1 Jun 09:01",
    "                           promised date red         Mon 1 Jun 09:00",
    "item-2  -         -        -                         Mon 1 Jun 09:00",
  ]);
});

describe("times at the command line", () => {
  test.each([
    ["30m", 30 * MINUTE_MS],
    ["4h", 4 * HOUR_MS],
    ["1d12h", 36 * HOUR_MS],
  ])("%s is a span", (text, ms) => {
    expect(untilOf(text)).toEqual({ is: "span", ms });
  });

  test("a moment has an offset", () => {
    const moment = { is: "moment", at: Date.parse("2031-03-11T12:00:00Z") };
    expect(untilOf("2031-03-11T13:00:00+01:00")).toEqual(moment);
  });

  test.each(["", "4", "h", "tomorrow", "2031-03-11T13:00:00", "-4h", "4h1d"])(
    '"%s" is neither',
    (text) => {
      expect(() => untilOf(text)).toThrow(/span such as 30m/);
    },
  );

  test("a span has its two largest units, a moment its weekday", () => {
    expect([0, 45_000, 12_000 * MINUTE_MS, 200 * MINUTE_MS].map(spanText)).toEqual([
      "0 s",
      "45 s",
      "8 d 8 h",
      "3 h 20 min",
    ]);
    expect(momentText(MONDAY)).toBe("Mon 1 Jun 09:00");
  });
});
