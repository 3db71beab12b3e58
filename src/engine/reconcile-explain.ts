/**
 * Why we and the marketplace do not say the same of an item. Pure.
 *
 * Always true: it never guesses. A repair is offered only where one side provably lacks what the other
 * has; whatever could have come about in two ways is "divergent", and a person decides.
 *
 * | kind                | what is the case                                   | repair                         |
 * |---------------------|----------------------------------------------------|--------------------------------|
 * | same                | both say the same                                  |                                |
 * | on-its-way          | our push has not been delivered yet                | time                           |
 * | handed-on           | the platform moved a new item on by itself         | the machine follows            |
 * | left-out            | an operator skipped the push                       | none is wanted                 |
 * | behind-us-delivered | it took our status and shows an older one          | push it once more              |
 * | ahead-of-us         | it shows a later status that we can reach          | the machine follows            |
 * | cancelled-there     | it shows a cancellation that we have not heard of  | the machine follows            |
 * | blocked-but-done    | a push is blocked, and what it says is shown       | settle it as delivered         |
 * | unknown-to-us       | it shows an item that we never heard of            | adopt it, when asked to        |
 * | unknown-there       | it does not know our item                          | a person                       |
 * | blocked             | a push is blocked, and not applied                 | a person, by the dead letter   |
 * | unread              | it could not be asked                              | ask again later                |
 * | divergent           | anything else                                      | a person                       |
 */
import type { Problem } from "../core/errors.ts";
import type { ShownItem } from "../offergrid/item-listing.ts";
import { ITEM_STATUSES, type ItemStatus } from "../offergrid/status-update.ts";

/** An effect of the item's lane at the marketplace. */
export interface WaitingPush {
  readonly id: string;
  readonly status?: string;
  readonly scheduledFor?: string;
}

export type OurLane =
  | { readonly state: "empty" }
  | { readonly state: "moving"; readonly pushes: readonly WaitingPush[] }
  | {
      readonly state: "blocked";
      readonly pushes: readonly WaitingPush[];
      readonly problem: Problem;
    };

/** What the journal says of one status that the marketplace was told, or told us. */
export interface Told {
  readonly status: ItemStatus;
  /** The push that told it; absent when the marketplace told us. */
  readonly effect?: string;
}

export type Ours =
  | { readonly state: "unknown" }
  /** Its machine is not deployed here, so nothing can be said of it. */
  | { readonly state: "unreadable"; readonly message: string }
  | {
      readonly state: "known";
      readonly status: string;
      readonly isFinal: boolean;
      readonly account: string;
      /** ISO 8601, of the appointment that is set. */
      readonly scheduledFor?: string;
      readonly lane: OurLane;
      /** Oldest first. */
      readonly told: readonly Told[];
      /** The last word on the push of the present status was an operator's: leave it out. */
      readonly isLeftOut: boolean;
      /** When anything last happened to it, ms. */
      readonly movedAt: number;
      /** Whether its machine can be told that the sides disagree. */
      readonly isDivergenceTaken: boolean;
      /** What the marketplace was last found to say, while that is not settled. */
      readonly claim?: string;
      /** Whether the machine would follow, if the marketplace reported this status. */
      readonly canFollow: (status: ItemStatus) => boolean;
    };

export type Theirs =
  | { readonly state: "shown"; readonly item: ShownItem }
  | { readonly state: "none" }
  | { readonly state: "unread"; readonly answer: string };

export type Explanation =
  | { readonly kind: "same" }
  | { readonly kind: "on-its-way" }
  | { readonly kind: "handed-on"; readonly status: ItemStatus }
  | { readonly kind: "left-out" }
  /** `effect` is the push that was delivered. */
  | { readonly kind: "behind-us-delivered"; readonly effect: string }
  | { readonly kind: "ahead-of-us"; readonly status: ItemStatus }
  | { readonly kind: "cancelled-there" }
  /** `effects` are those that the marketplace has, from the lane's first on. */
  | { readonly kind: "blocked-but-done"; readonly effects: readonly string[] }
  | { readonly kind: "unknown-to-us" }
  | { readonly kind: "unknown-there" }
  | { readonly kind: "blocked"; readonly problem: Problem }
  | { readonly kind: "unread" }
  | { readonly kind: "divergent" };

export type Difference = Explanation & {
  readonly itemId: string;
  readonly account: string;
  /** Our status; absent when we do not know the item. */
  readonly ours?: string;
  /** The status shown; absent when none was. */
  readonly theirs?: string;
  /** For people: what is the case, and why. */
  readonly sentence: string;
};

export interface Looked {
  readonly itemId: string;
  /** The account that was asked. */
  readonly account: string;
  readonly ours: Ours;
  readonly theirs: Theirs;
}

type Known = Extract<Ours, { readonly state: "known" }>;
type Found = Explanation & { readonly sentence: string };

export function explain({ itemId, account, ours, theirs }: Looked): Difference {
  const found = explanationOf(account, ours, theirs);
  return {
    ...found,
    itemId,
    account,
    ...(ours.state === "known" && { ours: ours.status }),
    ...(theirs.state === "shown" && { theirs: theirs.item.status }),
  };
}

function explanationOf(account: string, ours: Ours, theirs: Theirs): Found {
  if (theirs.state === "unread") {
    return { kind: "unread", sentence: `The marketplace could not be asked: ${theirs.answer}.` };
  }
  if (ours.state === "unreadable") return { kind: "divergent", sentence: ours.message };
  if (ours.state === "unknown") return explainUnknown(theirs);
  if (ours.account !== account) {
    return {
      kind: "divergent",
      sentence: `Account ${account} shows it, and here it belongs to account ${ours.account}.`,
    };
  }
  if (theirs.state === "none") {
    const sentence = `It is "${ours.status}" here, and account ${account} has no such item. Check its id and its account.`;
    return { kind: "unknown-there", sentence };
  }
  return explainShown(ours, theirs.item);
}

function explainUnknown(theirs: Exclude<Theirs, { readonly state: "unread" }>): Found {
  if (theirs.state === "none") {
    return { kind: "same", sentence: "Neither we nor the marketplace know it." };
  }
  const sentence = `The marketplace shows it as "${theirs.item.status}", and nobody has announced it here.`;
  return { kind: "unknown-to-us", sentence };
}

function explainShown(ours: Known, item: ShownItem): Found {
  const seen = ITEM_STATUSES.find((status) => status === item.status);
  const { status, lane } = ours;
  if (seen === undefined) {
    return divergent(
      `The marketplace shows "${item.status}", which is no status that it documents.`,
    );
  }
  if (seen === "cancelled" && status !== "cancelled") return explainCancelled(ours);
  switch (lane.state) {
    case "moving":
      return {
        kind: "on-its-way",
        sentence: `It is "${status}" here and "${seen}" there; ${listOf(lane.pushes)} is being delivered.`,
      };
    case "blocked":
      return explainBlocked(lane, item);
    case "empty":
      return seen === status ? explainEqual(ours, item) : explainOther(ours, seen);
  }
}

function explainCancelled({ status, canFollow }: Known): Found {
  if (!canFollow("cancelled")) {
    return divergent(
      `The marketplace shows it as cancelled, and a "${status}" item cannot be cancelled here. Settle it with the reseller.`,
    );
  }
  const sentence = `The marketplace shows it as cancelled, and it is "${status}" here: we have not heard of it.`;
  return { kind: "cancelled-there", sentence };
}

/** The latest of the waiting pushes that says what is shown: those before it are done with as well. */
function explainBlocked(
  { pushes, problem }: Extract<OurLane, { readonly state: "blocked" }>,
  { status, scheduledFor }: ShownItem,
): Found {
  const done = pushes.findLastIndex(
    (push) => push.status === status && isSameDate(push.scheduledFor, scheduledFor),
  );
  if (done === -1) {
    return {
      kind: "blocked",
      problem,
      sentence: `The marketplace shows "${status}", and ${listOf(pushes)} is blocked by ${problem.code}.`,
    };
  }
  const settled = pushes.slice(0, done + 1);
  return {
    kind: "blocked-but-done",
    effects: settled.map(({ id }) => id),
    sentence: `${listOf(settled)} is blocked by ${problem.code}, and the marketplace shows "${status}": it has arrived.`,
  };
}

function explainEqual(ours: Known, { scheduledFor }: ShownItem): Found {
  if (ours.status === "scheduled" && !isSameDate(ours.scheduledFor, scheduledFor)) {
    return divergent(
      `The appointment is ${ours.scheduledFor} here and ${scheduledFor} there. Ask the customer, then reschedule.`,
    );
  }
  return { kind: "same", sentence: `Both say "${ours.status}".` };
}

function explainOther(ours: Known, seen: ItemStatus): Found {
  const { status, told, isLeftOut } = ours;
  const last = told.at(-1);
  const both = `It is "${status}" here and "${seen}" there`;
  if (isLeftOut && last?.status === seen) {
    return { kind: "left-out", sentence: `${both}: an operator left the push out.` };
  }
  if (last?.status === status && last.effect !== undefined && isBefore(seen, status)) {
    const sentence = `${both}, though the marketplace took our "${status}": it has lost the update, or somebody set it back.`;
    return { kind: "behind-us-delivered", effect: last.effect, sentence };
  }
  return explainLater(ours, seen, both);
}

function explainLater({ status, told, canFollow }: Known, seen: ItemStatus, both: string): Found {
  // What it once was it may be again because it lost an update, or because somebody moved it on.
  const wasThere = told.some((each) => each.status === seen);
  if (wasThere || isBefore(seen, status) || !canFollow(seen)) {
    return divergent(`${both}, and nothing that we know of explains it. Find out who changed it.`);
  }
  if (status === "pending" && seen === "submitted_to_provider") {
    const sentence = `${both}: the platform hands new items on by itself.`;
    return { kind: "handed-on", status: seen, sentence };
  }
  const sentence = `${both}: we have lost what we did, or somebody else moved it on.`;
  return { kind: "ahead-of-us", status: seen, sentence };
}

const WAY: readonly string[] = [
  "pending",
  "submitted_to_provider",
  "accepted",
  "scheduled",
  "in_progress",
  "completed",
  "active",
];

/** How far along the way an item can have come before it ends like this. */
const REACHED: Readonly<Record<string, string>> = {
  rejected: "submitted_to_provider",
  failed: "in_progress",
  cancelled: "in_progress",
};

/** Whether every item of status `later` may once have shown `earlier`. */
function isBefore(earlier: string, later: string): boolean {
  if (earlier === "failed" && later === "cancelled") return true;
  const place = WAY.indexOf(earlier);
  const end = REACHED[later];
  return place !== -1 && place <= (end === undefined ? WAY.indexOf(later) - 1 : WAY.indexOf(end));
}

/** Compared only when both say one: what the marketplace shows is not documented. */
function isSameDate(ours: string | undefined, theirs: string | undefined): boolean {
  if (ours === undefined || theirs === undefined) return true;
  const [left, right] = [Date.parse(ours), Date.parse(theirs)];
  return Number.isNaN(left) || Number.isNaN(right) ? ours === theirs : left === right;
}

function listOf(pushes: readonly WaitingPush[]): string {
  return pushes.map(({ id, status }) => (status === undefined ? id : `"${status}"`)).join(", ");
}

function divergent(sentence: string): Found {
  return { kind: "divergent", sentence };
}
