/** Faults of SLA clocks and of the notices that they give, planted one at a time. */
import { START_MS } from "./history-of-a-run.ts";
import {
  clockFact,
  drop,
  factsOf,
  itemOf,
  noticesOf,
  noticeTo,
  nth,
  type PlantedFault,
  rewind,
} from "./history-parts.ts";

export const PLANTED_CLOCK_FAULTS: readonly PlantedFault[] = [
  {
    name: "a breach told an hour before the clock was due",
    rule: "clock-early",
    plant: (history) => {
      const [, fact] = clockFact(itemOf(history, "overdue"), "breached");
      fact.at -= 3_600_000;
    },
  },
  {
    name: "a rung told before its moment",
    rule: "clock-early",
    plant: (history) => {
      const [entry, fact] = clockFact(itemOf(history, "unanswered"), "rang");
      entry.at = fact.at - 1;
    },
  },
  {
    name: "a rung that more time must pass for than has passed",
    rule: "clock-early",
    plant: (history) => {
      const [, fact] = clockFact(itemOf(history, "unanswered"), "rang");
      fact.markMs += 60_000;
    },
  },
  {
    name: "a rung that tells of a breach before there is one",
    rule: "clock-early",
    plant: (history) => {
      const [entry, fact] = clockFact(itemOf(history, "overdue"), "breached");
      drop(factsOf(entry), fact);
    },
  },
  {
    name: "a rung of a clock that somebody has silenced",
    rule: "clock-early",
    plant: (history) => {
      const [entry, { clock, at }] = clockFact(itemOf(history, "unanswered"), "rang");
      factsOf(entry).unshift({ kind: "snoozed", clock, at, until: at + 60_000, by: "ops" });
    },
  },
  {
    name: "a repeat of a breach that somebody has acknowledged",
    rule: "clock-early",
    plant: (history) => {
      const [entry, { clock, at }] = clockFact(itemOf(history, "overdue"), "rang", 1);
      factsOf(entry).unshift({ kind: "acknowledged", clock, at, until: at + 60_000, by: "ops" });
    },
  },
  {
    name: "a pause that ended before its maximum",
    rule: "clock-early",
    plant: (history) => {
      const [, fact] = clockFact(itemOf(history, "paused"), "resumed");
      fact.at -= 60_000;
    },
  },
  {
    name: "a breach of a paused clock",
    rule: "clock-early",
    plant: (history) => {
      const [entry, { clock, at }] = clockFact(itemOf(history, "paused"), "paused");
      factsOf(entry).push({ kind: "breached", clock, at });
    },
  },
  {
    name: "a repeat that was due hours before the end",
    rule: "clock-forgotten",
    plant: (history) => rewind(history, "overdue", 2),
  },
  {
    name: "a breach that was due hours before the end",
    rule: "clock-forgotten",
    plant: (history) => rewind(history, "overdue", 1),
  },
  {
    name: "a pause that was over hours before the end",
    rule: "clock-forgotten",
    plant: (history) => rewind(history, "paused", 3),
  },
  {
    name: "a clock that ends late without its breach",
    rule: "clock-forgotten",
    plant: (history) => {
      const [, fact] = clockFact(itemOf(history, "in-order"), "stopped");
      fact.at = fact.dueAt + 1;
    },
  },
  {
    name: "a notice of which no effect was made",
    rule: "clock-forgotten",
    plant: (history) => {
      const [entry] = clockFact(itemOf(history, "unanswered"), "rang");
      if ("change" in entry) delete entry.change?.effects;
    },
  },
  {
    name: "open clocks measured by a policy that is not in force",
    rule: "clock-forgotten",
    plant: (history) => {
      history.policyVersion = "another";
    },
  },
  {
    name: "a rung that rings in two decisions",
    rule: "clock-doubled",
    plant: (history) => {
      const item = itemOf(history, "unanswered");
      const [entry] = clockFact(item, "rang");
      item.journal.push({ ...entry, revision: 3 });
    },
  },
  {
    name: "a rung told that had been passed over",
    rule: "clock-doubled",
    plant: (history) => {
      const [, { skipped = [] }] = clockFact(itemOf(history, "overdue"), "rang");
      const [, later] = clockFact(itemOf(history, "overdue"), "rang", 1);
      later.skipped = [...skipped];
    },
  },
  {
    name: "a breach found twice",
    rule: "clock-doubled",
    plant: (history) => {
      const [entry, fact] = clockFact(itemOf(history, "overdue"), "breached");
      factsOf(entry).splice(1, 0, { ...fact });
    },
  },
  {
    name: "a clock started while it runs",
    rule: "clock-doubled",
    plant: (history) => {
      const [entry, fact] = clockFact(itemOf(history, "unanswered"), "started");
      factsOf(entry).push({ ...fact, epoch: 1 });
    },
  },
  {
    name: "a clock whose new start repeats an epoch",
    rule: "clock-doubled",
    plant: (history) => {
      const [entry, { clock, at, dueAt }] = clockFact(itemOf(history, "in-order"), "stopped");
      factsOf(entry).push({ kind: "started", clock, at, epoch: 0, dueAt });
    },
  },
  {
    name: "two effects for one notice",
    rule: "clock-doubled",
    plant: (history) => {
      const [entry] = clockFact(itemOf(history, "unanswered"), "rang");
      const effects = "change" in entry ? entry.change?.effects : undefined;
      effects?.push({ ...nth(effects, 0) });
    },
  },
  {
    name: "a fact about a clock that is not open",
    rule: "journal-broken",
    plant: (history) => {
      const [entry, fact] = clockFact(itemOf(history, "in-order"), "stopped");
      factsOf(entry).push({ ...fact });
    },
  },
  {
    name: "a notice told delivered that nobody heard",
    rule: "notice-not-told",
    plant: (history) => {
      history.notices = noticesOf(history).filter(({ itemId }) => itemId !== "unanswered");
    },
  },
  {
    name: "a notice heard twice without any fault",
    rule: "unexplained-notice",
    plant: (history) => {
      history.notices?.push({ ...noticeTo(history, "unanswered"), at: START_MS + 20_000_000 });
    },
  },
  {
    name: "a notice said again under the id of another effect",
    rule: "unexplained-notice",
    plant: (history) => {
      const notice = noticeTo(history, "overdue");
      const other = { ...notice, effect: "overdue:3:0", at: START_MS + 20_000_000 };
      history.notices?.push(other);
    },
  },
  {
    name: "a notice of which no journal tells",
    rule: "unexplained-notice",
    plant: (history) => {
      const notice = noticeTo(history, "unanswered");
      history.notices?.push({ ...notice, effect: "unanswered:77:0", key: "respond:9:breach" });
    },
  },
  {
    name: "a late item that is not listed as such",
    rule: "index-differs",
    plant: (history) => {
      delete itemOf(history, "overdue").attentionSince;
    },
  },
  {
    name: "an item listed as late that is not",
    rule: "index-differs",
    plant: (history) => {
      itemOf(history, "in-order").attentionSince = START_MS;
    },
  },
];
