/** One item as an operator reads it: the answer first, the record last. Pure. */
import { NOTIFY_EFFECT } from "../core/clock-notice.ts";
import type { ParkedEvent } from "../core/actor.ts";
import type {
  EffectStory,
  ItemDescription,
  ItemState,
  LaneStory,
  TimerStory,
} from "../engine/describe-item.ts";
import { nextText } from "./answer-text.ts";
import { clocksText } from "./clock-text.ts";
import { letterText } from "./dead-letter-text.ts";
import { answerOf, journalText } from "./journal-text.ts";
import { count, cut, relativeText, table, timeText, wrapped } from "./text-layout.ts";

/** Entries of a context that are shown; --json has it whole. */
const CONTEXT_MAX = 30;

export function itemText(item: ItemDescription): string {
  const { readAt } = item;
  return [
    headline(item),
    item.state && stateText(item.state, readAt),
    section(
      "Needs a person",
      item.deadLetters.map((letter) => letterText(letter, readAt)).join("\n"),
    ),
    section("Divergent", divergenceText(item)),
    section("Clocks", clocksText(item)),
    section("Best practices", warningsText(item)),
    section("Waiting to be delivered", lanesText(item.lanes, readAt)),
    section("Parked events", parkedText(item.parked, readAt)),
    section("Timers", timersText(item.timers, readAt)),
    section("Pushes", pushesText(item.effects.filter(isNoted))),
    section("Context", item.state && contextText(item.state.context)),
    section("Journal", journalText(item.journal)),
  ]
    .filter((part) => part !== undefined)
    .join("\n\n");
}

function section(title: string, body: string | undefined): string | undefined {
  return body === undefined || body === "" ? undefined : `${title}\n${body}`;
}

function headline(item: ItemDescription): string {
  const { itemId, machine, version, revision, state } = item;
  const runs = `${machine} ${version}, ${count(revision, "decision")}`;
  if (state !== undefined) return `Item ${itemId} is "${state.status}"  (${runs})`;
  return item.isMachineKnown
    ? `Item ${itemId} has not been announced. Events that wait for that: ${item.parked.length}.`
    : `Item ${itemId} runs ${machine} ${version}, which this deployment does not have.`;
}

function stateText(state: ItemState, now: number): string {
  const { since, order, account, words, regions, allowed } = state;
  const facts = [
    ["since", `${timeText(since)} (${relativeText(since, now)})`],
    ...(order === undefined ? [] : [["order", order]]),
    ["account", account],
    ...regions.map(({ name, state: at, description }) => [
      name,
      description === undefined ? at : `${at}: ${description}`,
    ]),
  ];
  return [
    table([], facts, "  "),
    "",
    ...(words?.definition ?? []).map((line) => wrapped(line, "  ")),
    ...(words?.action === undefined ? [] : [wrapped(`Your action: ${words.action}`, "  ")]),
    wrapped(nextText(allowed), "  "),
  ].join("\n");
}

function divergenceText({ itemId, divergence, state, readAt }: ItemDescription): string {
  if (divergence === undefined) return "";
  const claims = divergence.claims.map(({ side, status, source, sinceTime, reason }) => {
    const since = Date.parse(sinceTime);
    const says = `The ${side} (${source}) says "${status}", not "${state?.status}", since ${timeText(since)} (${relativeText(since, readAt)}).`;
    return wrapped(reason === undefined ? says : `${says} ${reason}`, "  ");
  });
  const advice = `Find out who is right. It ends when both say the same, or with: npx orderwright send order.converged ${itemId} --note "<what was found>"`;
  return [...claims, wrapped(advice, "  ")].join("\n");
}

function warningsText({ warnings }: ItemDescription): string {
  return warnings.map(({ rule, message }) => wrapped(`${message} (${rule})`, "  ")).join("\n");
}

function lanesText(lanes: readonly LaneStory[], now: number): string {
  return lanes
    .map((lane) => {
      const { channel, pending, heldReason } = lane;
      const names = pending.map(({ name, params }) => [name, statusIn(params)].join(" ").trim());
      return [
        `  ${channel}: ${count(pending.length, "effect")}, ${laneState(lane, now)}`,
        wrapped(names.join(", "), "    "),
        ...(heldReason === undefined ? [] : [wrapped(heldReason, "    "), retryLine(channel)]),
      ].join("\n");
    })
    .join("\n");
}

function laneState(lane: LaneStory, now: number): string {
  const { state, until, problem, heldReason, pausedUntil } = lane;
  if (state === "blocked") return `BLOCKED ${problem?.code ?? ""}`.trim();
  if (heldReason !== undefined) return "its account is HELD";
  if (pausedUntil !== undefined && pausedUntil > now) {
    return `the marketplace asked for a pause; it ends ${relativeText(pausedUntil, now)}`;
  }
  switch (state) {
    case "ready":
      return "leaves as soon as a worker serves this channel";
    case "leased":
      return "being delivered";
    case "later":
      return `next attempt ${until === undefined ? "soon" : relativeText(until, now)}`;
  }
}

/** The letter that `holdAccount` goes with. */
function retryLine(channel: string): string {
  return `    npx orderwright retry account:${channel.replace(/^marketplace\./, "")}`;
}

function parkedText(parked: readonly ParkedEvent[], now: number): string {
  return table(
    [],
    parked.map(({ event, reason, until }) => [
      event.type,
      { early: "too early", gap: "a number is missing", "unknown-item": "item unknown" }[reason],
      `until ${timeText(until)} (${relativeText(until, now)})`,
      event.source,
    ]),
    "  ",
  );
}

function timersText(timers: readonly TimerStory[], now: number): string {
  return table(
    [],
    timers.map(({ name, dueAt }) => [name, timeText(dueAt), relativeText(dueAt, now)]),
    "  ",
  );
}

/** A notice that was told is a line of the journal; one that is not needs a person's eye. */
function isNoted({ name, state }: EffectStory): boolean {
  return name !== NOTIFY_EFFECT || state !== "delivered";
}

function pushesText(effects: readonly EffectStory[]): string {
  return table(
    [],
    effects.map(({ name, state, waiting, answers }) => {
      const last = answers.at(-1);
      const status = last?.status ?? (waiting === undefined ? "" : statusIn(waiting.params));
      const attempts = last === undefined || last.attempt < 2 ? "" : `attempt ${last.attempt}`;
      return [
        `${name} ${status}`.trim(),
        state,
        attempts,
        last === undefined ? "" : answerOf(last),
      ];
    }),
    "  ",
  );
}

function contextText(context: Readonly<Record<string, unknown>>): string {
  const rows = Object.entries(context).flatMap(([key, value]) => flattened(key, value));
  return table([], rows.slice(0, CONTEXT_MAX), "  ");
}

/** One level deep; the machine's own options and what is empty would only hide the rest. */
function flattened(key: string, value: unknown): string[][] {
  if (key === "options" || isEmpty(value)) return [];
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return [[key, valueText(value)]];
  }
  return Object.entries(value)
    .filter(([, inner]) => !isEmpty(inner))
    .map(([innerKey, inner]) => [`${key}.${innerKey}`, valueText(inner)]);
}

function isEmpty(value: unknown): boolean {
  return value === null || value === undefined || value === "";
}

function valueText(value: unknown): string {
  if (isTime(value)) return timeText(value);
  return cut(typeof value === "string" ? value : JSON.stringify(value), 80);
}

/** A machine keeps its times as ms since the epoch; no other number of an order is that large. */
function isTime(value: unknown): value is number {
  return typeof value === "number" && value > Date.UTC(2000) && value < Date.UTC(2100);
}

function statusIn(params: Readonly<Record<string, unknown>>): string {
  const { status } = params;
  return typeof status === "string" ? status : "";
}
