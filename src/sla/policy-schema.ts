/**
 * The border of the policies: what a policy.ts `Policy` must be, every fault named by the path to
 * it. What passes here never fails an item: every name is known, every field belongs to its kind,
 * and every calendar has the open time that the policy asks of it.
 */
import { z } from "zod";
import { isZone } from "./calendar.ts";
import { calendarSchema } from "./calendar-schema.ts";
import { rungName } from "./ladder.ts";
import { faultsOf } from "./policy-faults.ts";
import { PAUSES, type Policy } from "./policy.ts";
import { ROLES } from "../core/clock-fact.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
/** A promise to a customer; open time, so it may be years on the wall. */
const TARGET_MAX_MS = 366 * DAY_MS;
const RUNGS_MAX = 12;
/** Whoever was told nine times will not act on the tenth. */
const REPEATS_MAX = 9;
/** Of calendars, ladders or clocks: an item may have all clocks at once. */
const NAMED_MAX = 32;
const EXCEPTIONS_MAX = 1000;
const LIST_MAX = 32;
const WORD_MAX = 64;
const NOTE_EVERY_MIN_MS = DAY_MS;

const word = z.string().min(1).max(WORD_MAX);
/** Names become keys of objects, and parts of a notice's key. */
const NAME = /^[a-zA-Z][\w-]*$/;
const durationMs = z.int().positive().max(TARGET_MAX_MS);
const roles = z.array(z.enum(ROLES)).min(1).max(ROLES.length);
const statuses = z.array(word).min(1).max(LIST_MAX);

const to = z.union([roles, z.tuple([z.literal("customer")])]);
const RUNG_FAULT =
  'must have `to`, ["customer"] alone or of "owner" and "lead", and ' +
  "one of percent (0 to 100), afterMs and beforeMs";
const rungSchema = z.union(
  [
    z.strictObject({ to, percent: z.number().gt(0).lt(100) }),
    z.strictObject({ to, afterMs: durationMs }),
    z.strictObject({ to, beforeMs: durationMs }),
  ],
  { error: RUNG_FAULT },
);

const ladderSchema = z
  .strictObject({
    rungs: z
      .array(rungSchema)
      .max(RUNGS_MAX)
      .refine(
        (rungs) => new Set(rungs.map(rungName)).size === rungs.length,
        "must not have two rungs at one place",
      ),
    breach: z.exactOptional(z.strictObject({ to: roles })),
    repeat: z.exactOptional(
      z.strictObject({
        everyMs: durationMs,
        timesMax: z.int().min(1).max(REPEATS_MAX),
        to: roles,
      }),
    ),
  })
  .refine(
    ({ breach, repeat }) => repeat === undefined || breach !== undefined,
    "must have a breach before it can repeat it",
  );

const triggerSchema = z.union(
  [
    z.strictObject({ enters: statuses }),
    z.strictObject({ leaves: statuses }),
    z.strictObject({ event: word }),
    z.strictObject({ appointment: z.literal("dated"), in: z.exactOptional(statuses) }),
  ],
  { error: "must be one of {enters}, {leaves}, {event} and {appointment}" },
);
const triggers = z.array(triggerSchema).max(LIST_MAX);
const pausesWhile = z.array(
  z.enum(PAUSES, { error: `must be one of ${PAUSES.join(", ")}: others do not pause a clock` }),
);
const zone = z
  .string()
  .refine((text) => text === "item" || isZone(text), 'must be "item" or an IANA zone');

const anyClock = {
  starts: triggers.min(1),
  stops: triggers.min(1),
  drops: z.exactOptional(triggers),
  ladder: z.string(),
};
const offsetMs = z.int().min(-TARGET_MAX_MS).max(TARGET_MAX_MS);
const clockSchema = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("duration"),
    ...anyClock,
    targetMs: durationMs,
    calendar: z.string(),
    zone: z.exactOptional(zone),
    pausesWhile: z.exactOptional(pausesWhile),
    maxPauseMs: z.exactOptional(durationMs),
  }),
  z.strictObject({
    kind: z.literal("fixed-date"),
    ...anyClock,
    offsetMs,
    atDue: z.enum(["breach", "end"]),
  }),
]);

const changesSchema = z.strictObject({
  targetMs: z.exactOptional(durationMs),
  offsetMs: z.exactOptional(offsetMs),
  calendar: z.exactOptional(z.string()),
  zone: z.exactOptional(zone),
  pausesWhile: z.exactOptional(pausesWhile),
  maxPauseMs: z.exactOptional(durationMs),
  ladder: z.exactOptional(z.string()),
});

const exceptionSchema = z
  .strictObject({
    account: z.exactOptional(word),
    category: z.exactOptional(word),
    clocks: z.record(z.string(), z.union([z.literal("off"), changesSchema])),
  })
  .refine(
    ({ account, category }) => account !== undefined || category !== undefined,
    "must name an account, a category or both",
  );

const stageSchema = z.strictObject({
  statuses,
  needsMs: durationMs,
  until: z.exactOptional(z.literal("appointment")),
});
const jeopardySchema = z.strictObject({
  committedBy: z.string(),
  stages: z.array(stageSchema).min(1).max(LIST_MAX),
  yellowMs: z.int().nonnegative().max(TARGET_MAX_MS),
  redMs: z.int().nonnegative().max(TARGET_MAX_MS),
  to: z.strictObject({ green: roles, yellow: roles, red: roles }),
});

export const policySchema: z.ZodType<Policy> = z
  .strictObject({
    version: word,
    zone: z.string().refine(isZone, "must be an IANA zone"),
    calendars: named(calendarSchema),
    ladders: named(ladderSchema),
    clocks: named(clockSchema),
    exceptions: z.exactOptional(z.array(exceptionSchema).max(EXCEPTIONS_MAX)),
    customerHours: z.string(),
    jeopardy: z.exactOptional(jeopardySchema),
    delayNotes: z.exactOptional(
      z.strictObject({
        clocks: z.array(word).max(LIST_MAX),
        everyMs: durationMs.min(NOTE_EVERY_MIN_MS),
      }),
    ),
  })
  .superRefine((policy, context) => {
    for (const { path, message } of faultsOf(policy)) {
      context.addIssue({ code: "custom", path: [...path], message });
    }
  });

/** Names that an object has by birth would be found where nobody has written them. */
function named<Value extends z.ZodType>(value: Value) {
  return z.record(z.string(), value).superRefine((entries, context) => {
    const names = Object.keys(entries);
    if (names.length > NAMED_MAX) {
      context.addIssue({ code: "custom", message: `must be ${NAMED_MAX} at most` });
    }
    for (const name of names.filter((text) => !NAME.test(text) || text in {})) {
      const message = "must be a name of letters, digits, _ and -, beginning with a letter";
      context.addIssue({ code: "custom", path: [name], message });
    }
    if (names.includes("always")) {
      context.addIssue({ code: "custom", path: ["always"], message: "is taken" });
    }
  });
}
