/**
 * The events an order item takes, each with the schema of its `data`. A fact that can be judged from
 * the data alone is judged here; what depends on the actor or on the event's time is in rules.ts.
 * An issue with `params.code` is a named fault that the producer gets back; all others mean that the
 * data does not have the shape of its event.
 */
import { z } from "zod";
import { contradictedWeekday, dateFormOf, isZone } from "./appointment-date.ts";
import { sideSchema } from "./divergence.ts";
import { metadataSchema } from "./metadata.ts";
import { statusSchema } from "./statuses.ts";

/** Characters. The marketplace names no limit; a note is read by people. */
const NOTE_MAX = 4_000;
const WORD_MAX = 256;

const word = z.string().trim().min(1).max(WORD_MAX);
const note = z.string().trim().min(1).max(NOTE_MAX);
const optionalNote = z.string().max(NOTE_MAX).optional();
const reasonCode = z.string().trim().min(1).max(64).optional();
const origin = z.enum(["provider", "reseller", "marketplace"]).optional();
const scheduledFor = z.string().max(64).optional();
const zone = z.string().max(64).refine(isZone, "Not an IANA time zone.").optional();

export const customerInfoSchema = z.object({
  fullName: z.string().max(WORD_MAX).optional(),
  email: z.string().max(WORD_MAX).optional(),
  phone: z.string().max(WORD_MAX).optional(),
});

export const serviceAddressSchema = z.object({
  street: z.string().max(WORD_MAX).optional(),
  city: z.string().max(WORD_MAX).optional(),
  state: z.string().max(WORD_MAX).optional(),
  zipCode: z.string().max(WORD_MAX).optional(),
  country: z.string().max(WORD_MAX).optional(),
});

/** The birth. Metadata here is the reseller's own and of any shape: an order is never refused for it. */
export const receivedSchema = z.strictObject({
  orderId: word,
  offerId: word.optional(),
  offerName: word.optional(),
  offerCategory: word.optional(),
  requiresInstallation: z.boolean().default(true),
  account: word.default("default"),
  createdAt: z.iso.datetime({ offset: true }).optional(),
  customerInfo: customerInfoSchema.optional(),
  serviceAddress: serviceAddressSchema.optional(),
  notes: z.string().max(NOTE_MAX).optional(),
  metadata: z.record(z.string(), z.json()).optional(),
  status: z.enum(["pending", "submitted_to_provider"]).default("pending"),
});

type Fields = Readonly<Record<string, unknown>>;
type Issues = z.core.$RefinementCtx;
type Check = (data: Fields, issues: Issues) => void;

/** One schema per event type. `metadataMaxBytes` bounds the metadata of a single event. */
export function eventSchemas(metadataMaxBytes: number) {
  const metadata = metadataSchema(metadataMaxBytes).optional();
  const update = { providerNotes: optionalNote, metadata };
  const told = { providerNotes: note, metadata };
  const appointment = { ...told, scheduledFor, zone };
  return {
    "order.received": receivedSchema,
    "order.submitted": z.strictObject({ ...update, origin }),
    "order.accepted": z.strictObject({
      ...told,
      customerInfo: customerInfoSchema.optional(),
      serviceAddress: serviceAddressSchema.optional(),
    }),
    "order.rejected": checked(
      { ...update, reasonCode, alternatives: z.array(note).max(20).optional() },
      [needsReason],
    ),
    "appointment.scheduled": checked(appointment, [needsDate, checkDate, needsWindow]),
    "appointment.rescheduled": checked(appointment, [needsDate, checkDate, needsWindow]),
    "work.started": z.strictObject(update),
    "work.completed": z.strictObject(told),
    "work.failed": checked({ ...update, reasonCode }, [needsReason, needsReasonCode]),
    "service.activated": z.strictObject(told),
    "order.cancelled": checked(
      { ...update, reasonCode, origin, cancelledBy: word.optional(), approvedBy: word.optional() },
      [needsReason],
    ),
    "order.noted": z.strictObject(told),
    "status.observed": checked({ ...update, status: statusSchema, scheduledFor, zone, origin }, [
      checkDate,
    ]),
    "wait.started": z.strictObject({
      on: z.enum(["customer", "reseller", "provider"]),
      reason: note,
    }),
    "wait.ended": z.strictObject({ reason: note.optional() }),
    "cancellation.denied": z.strictObject({ providerNotes: note, by: word }),
    /** What a side says instead; not a status of ours, perhaps. */
    "order.diverged": z.strictObject({ side: sideSchema, status: word, reason: note.optional() }),
    /** A side, or without one everybody, says the same again; `by` is a person who settled it. */
    "order.converged": z.strictObject({
      side: sideSchema.optional(),
      providerNotes: optionalNote,
      by: word.optional(),
    }),
  } as const satisfies Record<string, z.ZodType>;
}

export type EventType = keyof ReturnType<typeof eventSchemas>;

/** Checks run even when another field has the wrong shape, so that a named fault is never hidden. */
function checked<Shape extends z.core.$ZodLooseShape>(shape: Shape, checks: readonly Check[]) {
  return z.strictObject(shape).superRefine(
    (data, issues) => {
      for (const check of checks) check(data as Fields, issues);
    },
    { when: ({ value }) => typeof value === "object" && value !== null },
  );
}

function addFault(issues: Issues, path: string, fault: { code?: string; message: string }): void {
  const params = fault.code === undefined ? {} : { params: { code: fault.code } };
  issues.addIssue({ code: "custom", path: [path], message: fault.message, ...params });
}

function isBlank(value: unknown): boolean {
  return value === undefined || value === null || (typeof value === "string" && !value.trim());
}

function inMetadata(data: Fields, key: string): unknown {
  const { metadata } = data;
  return typeof metadata === "object" && metadata !== null ? (metadata as Fields)[key] : undefined;
}

function needsReason(data: Fields, issues: Issues): void {
  if (!isBlank(data["providerNotes"])) return;
  addFault(issues, "providerNotes", {
    code: "REASON_MISSING",
    message: "Say in providerNotes why, and what happens next.",
  });
}

function needsReasonCode(data: Fields, issues: Issues): void {
  if (!isBlank(data["reasonCode"] ?? inMetadata(data, "reasonCode"))) return;
  addFault(issues, "reasonCode", {
    code: "REASON_MISSING",
    message: 'Name the kind of failure in reasonCode, "technical" for one.',
  });
}

function needsDate(data: Fields, issues: Issues): void {
  if (!isBlank(data["scheduledFor"])) return;
  addFault(issues, "scheduledFor", {
    code: "SCHEDULE_DATE_MISSING",
    message: "Send scheduledFor: the date and time of the appointment, with an offset.",
  });
}

function checkDate(data: Fields, issues: Issues): void {
  const { scheduledFor: date, providerNotes, zone: zoneName } = data;
  if (typeof date !== "string" || isBlank(date)) return;
  switch (dateFormOf(date)) {
    case "unreadable":
      addFault(issues, "scheduledFor", { message: "This is no ISO 8601 date and time." });
      return;
    case "naive":
      addFault(issues, "scheduledFor", {
        code: "SCHEDULE_DATE_NAIVE",
        message: `"${date}" names no offset. Write it as local time with one, "…T13:00:00-08:00".`,
      });
      return;
    case "zoned": {
      const zoneOrNone = typeof zoneName === "string" && isZone(zoneName) ? zoneName : undefined;
      const text = typeof providerNotes === "string" ? providerNotes : "";
      checkWeekday(issues, date, contradictedWeekday(text, date, zoneOrNone));
    }
  }
}

function checkWeekday(issues: Issues, date: string, actual: string | undefined): void {
  if (actual === undefined) return;
  addFault(issues, "scheduledFor", {
    code: "SCHEDULE_WEEKDAY_MISMATCH",
    message: `${date} is a ${capitalised(actual)}, but providerNotes name another day. Correct one of them.`,
  });
}

function capitalised(word: string): string {
  return `${word.slice(0, 1).toUpperCase()}${word.slice(1)}`;
}

/** After the date's checks: a wrong date is the graver fault and is named first. */
function needsWindow(data: Fields, issues: Issues): void {
  if (!isBlank(inMetadata(data, "appointmentWindow"))) return;
  addFault(issues, "metadata", {
    code: "METADATA_INVALID",
    message: 'Send metadata.appointmentWindow, "1-5 PM": the customer has to be at home.',
  });
}
