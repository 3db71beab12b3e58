/** What a reconciliation found, in words: grouped by kind, with what to do about each. Pure. */
import { groupBy } from "../core/group-by.ts";
import type { Finding } from "../engine/reconcile.ts";
import { count, wrapped } from "./text-layout.ts";

export type FindingKind = Finding["kind"];

interface Words {
  readonly title: string;
  /** What to do; without `--repair` first. */
  readonly advice: string;
  /** `settles`: time, or nothing to do. `repairable`: a run with --repair. `person`: nobody else. */
  readonly care: "settles" | "repairable" | "person";
}

const WORDS: Readonly<Record<FindingKind, Words>> = {
  same: { title: "Same on both sides", advice: "Nothing to do.", care: "settles" },
  "on-its-way": {
    title: "On its way",
    advice: "Nothing to do: the push is delivered when its turn comes.",
    care: "settles",
  },
  "left-out": {
    title: "Left out by an operator",
    advice: "Nothing to do: the journal says why.",
    care: "settles",
  },
  "handed-on": {
    title: "Handed on by the platform",
    advice: "Nothing needs to be done; --repair lets the item follow.",
    care: "settles",
  },
  "behind-us-delivered": {
    title: "The marketplace is behind",
    advice: "--repair pushes the present status once more.",
    care: "repairable",
  },
  "ahead-of-us": {
    title: "The marketplace is ahead",
    advice: "--repair lets the item follow, without pushing anything back.",
    care: "repairable",
  },
  "cancelled-there": {
    title: "Cancelled at the marketplace",
    advice: "--repair cancels the item here. Call back a technician who is under way.",
    care: "repairable",
  },
  "blocked-but-done": {
    title: "Blocked, and has arrived",
    advice: "--repair settles the push as delivered; the item delivers again.",
    care: "repairable",
  },
  "unknown-to-us": {
    title: "Unknown here",
    advice: "Send its order.received, or let --repair --adopt make it from what is shown.",
    care: "repairable",
  },
  "unknown-there": {
    title: "Unknown at the marketplace",
    advice: "A person has to find out: is the id right, is the account, was the order deleted?",
    care: "person",
  },
  blocked: {
    title: "Blocked",
    advice: "Solve the dead letter: `npx orderwright show ITEM` names it and what to type.",
    care: "person",
  },
  divergent: {
    title: "Divergent",
    advice: "A person has to find out who is right, then send an event or correct the marketplace.",
    care: "person",
  },
  unread: {
    title: "Could not be compared",
    advice: "Run it again later.",
    care: "person",
  },
  "account-unread": {
    title: "Accounts that could not be asked to the end",
    advice: "Correct the account, or run it again later.",
    care: "person",
  },
};

/** In the order in which they are told: what needs a person last, where it is still on the screen. */
const ORDER = Object.keys(WORDS) as readonly FindingKind[];

/** False for what time takes care of, or what a repair has taken care of. */
export function isOpen(finding: Finding): boolean {
  if (WORDS[finding.kind].care === "settles") return false;
  return !("repair" in finding && finding.repair?.outcome === "repaired");
}

export function findingsText(findings: readonly Finding[]): string {
  const groups = groupBy(findings, ({ kind }) => kind);
  return ORDER.flatMap((kind) => {
    const group = groups.get(kind);
    return group === undefined ? [] : [groupText(kind, group)];
  }).join("\n\n");
}

function groupText(kind: FindingKind, group: readonly Finding[]): string {
  const { title, advice } = WORDS[kind];
  const lines = group.flatMap((finding) => linesOf(finding));
  return [`${title} (${group.length})`, wrapped(advice, "  "), "", ...lines].join("\n");
}

function linesOf(finding: Finding): string[] {
  if (finding.kind === "account-unread") return [wrapped(finding.sentence, "  ")];
  const { itemId, account, sentence, repair } = finding;
  const name = `  ${itemId}  (${account})`;
  return [name, wrapped(sentence, "    "), ...(repair === undefined ? [] : [repairText(repair)])];
}

type Repair = NonNullable<Exclude<Finding, { readonly kind: "account-unread" }>["repair"]>;

function repairText(repair: Repair): string {
  switch (repair.outcome) {
    case "repaired":
      return wrapped(`Repaired: ${repair.how}.`, "    ");
    case "moved":
      return wrapped("Not repaired: it moved meanwhile. Run it again.", "    ");
    case "not-possible":
      return wrapped(`Not repaired: ${repair.reason}`, "    ");
  }
}

export interface ReconcileSummary {
  /** Items that were compared. */
  readonly compared: number;
  readonly byKind: Readonly<Partial<Record<FindingKind, number>>>;
  readonly repaired: number;
  /** What is left for a person, or for a run with --repair. */
  readonly open: number;
  /** False when it was stopped before the end. */
  readonly isComplete: boolean;
}

export function summaryText(summary: ReconcileSummary): string {
  const { compared, byKind, repaired, open, isComplete } = summary;
  const different = Object.values(byKind).reduce((sum, amount) => sum + amount, 0);
  const parts = [
    `${count(compared, "item")} compared, ${count(different, "finding")}`,
    ...(repaired > 0 ? [`${repaired} repaired`] : []),
    `${open} open`,
  ];
  return `${parts.join(", ")}.${isComplete ? "" : " Stopped before the end."}`;
}
