/**
 * What the reading routes answer, as schemas: the documentation is made from them, and tests hold real
 * answers against them. Instants are ms since the epoch unless they are texts; those are ISO 8601.
 */
import { z } from "zod";
import { GROUPINGS } from "../engine/measure-fulfilment.ts";

const instant = z.int().describe("ms since the epoch");
const level = z.enum(["green", "yellow", "red"]);
const next = z.string().optional().describe("Absent on the last page.");

export const problemDetails = z
  .looseObject({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string().describe("What happened, with ids, and what to do now."),
    code: z.string().optional().describe("A code of docs/errors.md."),
  })
  .describe("RFC 9457 problem details");

const problem = z.object({
  code: z.string(),
  message: z.string(),
  allowed: z.array(z.string()).optional().describe("Event types that the item takes."),
});

const event = z
  .looseObject({ id: z.string(), source: z.string(), type: z.string(), time: z.string() })
  .describe("The event as it came: a CloudEvent.");

const itemRow = z.object({
  itemId: z.string(),
  status: z.string(),
  since: instant.describe("When the status was entered, ms since the epoch."),
  account: z.string(),
  order: z.string().optional(),
  pending: z.int().describe("Effects that were decided and not delivered yet."),
  isBlocked: z.boolean().describe("A person must decide before more of the item is delivered."),
});

export const itemsPage = z.object({
  items: z.array(
    itemRow.extend({
      machine: z.string(),
      version: z.string(),
      revision: z.int().describe("Decisions that were taken about it."),
      parked: z.int().describe("Events that wait in it."),
      jeopardy: level.optional(),
    }),
  ),
  next,
});

const journalEntry = z
  .looseObject({
    kind: z.enum(["event", "timer", "expired", "clocks", "delivery"]),
    at: instant,
    revision: z.int().optional().describe("Of a decision: its number, from 1."),
    outcome: z.string().optional(),
    event: event.optional(),
    problem: problem.optional(),
    change: z.looseObject({ status: z.string() }).optional().describe("What it did to the item."),
  })
  .describe("A decision, or what the world answered to an effect.");

export const journalPage = z.object({
  itemId: z.string(),
  length: z.int().describe("Entries that the journal has now."),
  entries: z.array(
    z.object({ place: z.int().describe("From 0; never changes."), entry: journalEntry }),
  ),
  next: z.int().optional().describe("Give it back as `cursor`. Absent on the last page."),
});

const divergence = z
  .object({
    sinceTime: z.string(),
    claims: z.array(
      z.object({
        side: z.enum(["marketplace", "crm"]),
        status: z.string(),
        source: z.string(),
        sinceTime: z.string(),
        reason: z.string().optional(),
      }),
    ),
  })
  .describe("The marketplace or the CRM says something else of it, and a person has to settle it.");

const words = z.object({
  status: z.string(),
  definition: z.array(z.string()),
  action: z.string().optional().describe("What the provider owes next."),
});

const deadLetter = z
  .looseObject({
    id: z.string(),
    at: instant,
    problem,
    kind: z.enum(["event", "effect", "timer", "account", "unreadable"]),
  })
  .describe("An event or an effect that needs a person.");

const effect = z.looseObject({ id: z.string(), name: z.string(), channel: z.string() });

export const itemDescription = z.object({
  itemId: z.string(),
  readAt: instant,
  machine: z.string(),
  version: z.string(),
  revision: z.int(),
  state: z
    .object({
      status: z.string(),
      since: instant,
      isFinal: z.boolean(),
      account: z.string(),
      order: z.string().optional(),
      words: words.optional(),
      regions: z.array(
        z.object({ name: z.string(), state: z.string(), description: z.string().optional() }),
      ),
      value: z.unknown().describe("XState's own value."),
      context: z.record(z.string(), z.unknown()),
      allowed: z.array(z.string()).describe("Event types that the item takes now."),
    })
    .optional()
    .describe("Absent while events wait for an item that nobody has announced."),
  isMachineKnown: z.boolean(),
  clocks: z.looseObject({}).optional().describe("Its SLA clocks as of `readAt`."),
  divergence: divergence.optional(),
  warnings: z.array(z.object({ rule: z.string(), message: z.string() })),
  parked: z.array(z.object({ event, reason: z.string(), until: instant })),
  timers: z.array(z.object({ id: z.string(), name: z.string(), dueAt: instant })),
  effects: z.array(
    z.object({
      id: z.string(),
      name: z.string(),
      decidedAt: instant,
      state: z.string(),
      waiting: effect.optional(),
      answers: z.array(journalEntry),
    }),
  ),
  lanes: z.array(
    z.object({
      channel: z.string(),
      state: z.enum(["ready", "leased", "later", "blocked"]),
      until: instant.optional(),
      pending: z.array(effect),
      problem: problem.optional(),
      heldReason: z.string().optional(),
      pausedUntil: instant.optional(),
    }),
  ),
  deadLetters: z.array(deadLetter),
});

export const orderDescription = z.object({
  orderId: z.string(),
  state: z.enum(["in_progress", "completed", "rejected", "cancelled", "failed", "partial"]),
  stage: z.string().optional().describe("While in progress: the least advanced open status."),
  itemCount: z.int().describe("Items of ours; the order may have others."),
  unreadableItems: z.int(),
  items: z.array(itemRow).describe("By id, the first 200."),
});

export const attentionPage = z.object({
  items: z.array(
    z.object({
      itemId: z.string(),
      since: instant,
      status: z.string().optional(),
      account: z.string().optional(),
      order: z.string().optional(),
      late: z.array(
        z.object({
          clock: z.string(),
          dueAt: instant,
          ackUntil: instant.optional(),
          snoozedUntil: instant.optional(),
        }),
      ),
      jeopardy: z.object({ level, since: instant }).optional(),
      divergence: divergence.optional(),
    }),
  ),
  next,
});

export const deadLettersPage = z.object({ letters: z.array(deadLetter), next });

const count = z.int();
const rate = z.number().nullable();
const ms = z.number().nullable();
const isOnTarget = z.boolean().nullable();
const spread = z.object({ n: count, meanMs: ms, p50Ms: ms, p90Ms: ms, p95Ms: ms, isOnTarget });
const overLimit = count;
const days = z.number().nullable();

const figures = z.object({
  received: count,
  acceptance: z.object({
    rate,
    accepted: count,
    rejected: count,
    undecided: count,
    withdrawn: count,
    isOnTarget,
  }),
  timeToAccept: spread,
  timeToRespond: spread.extend({ overLimit }),
  completion: z.object({
    rate,
    rateWithoutCancelled: rate,
    completed: count,
    failed: count,
    cancelled: count,
    open: count,
    isOnTarget,
  }),
  fulfilmentTime: z.object({
    n: count,
    meanDays: days,
    p50Days: days,
    p90Days: days,
    basis: z.object({ completed: count, active: count }),
  }),
  timeToSchedule: spread,
  pushLag: spread.extend({ overLimit }),
  events: z.object({ stale: count, parked: count, rejected: count }),
});

export const fulfilmentReport = z.object({
  since: z.string().nullable(),
  until: z.string().nullable(),
  zone: z.string(),
  account: z.string().nullable(),
  by: z.array(z.enum(GROUPINGS)),
  targets: z.record(z.string(), z.number()),
  total: figures,
  groups: z.array(z.object({ key: z.record(z.string(), z.string().nullable()), figures })),
  testItems: count,
  unreadableItems: count,
});

export const policyDescription = z.object({
  version: z.string(),
  source: z.enum(["stored", "default"]),
  setAt: z.string().nullable(),
  recompute: z.object({
    state: z.enum(["waiting", "running", "done"]),
    looks: z.int(),
    remeasured: z.int(),
    at: z.string().nullable(),
  }),
  policy: z.looseObject({ version: z.string() }).describe("As `policy set` takes it."),
});

export const machinesDescription = z.object({
  machines: z.array(
    z.object({
      id: z.string(),
      version: z.string(),
      birth: z.string().describe("Type of the event that begins an item."),
      statuses: z.array(words),
      events: z
        .record(z.string(), z.looseObject({}))
        .describe("JSON Schema of `data` by event type."),
    }),
  ),
});

export const feedEvent = z.object({
  itemId: z.string(),
  place: z.int().describe("In the item's journal. With `itemId`, what tells a repeat."),
  kind: z.enum(["event", "timer", "expired", "clocks", "delivery"]),
  at: instant,
  revision: z.int().optional(),
  status: z.string().optional(),
  outcome: z.string().optional(),
  about: z.string().optional().describe("The event's type, the timer, or the effect's name."),
  code: z.string().optional(),
});
