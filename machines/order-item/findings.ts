/**
 * What can be found wanting in a status update: the rules by which updates are checked, and each way
 * to break one with what to do instead. An item remembers names of findings alone, because a million
 * items have a list of them; the words are looked up here when somebody reads them.
 */
import { z } from "zod";

/** The marketplace's advice on status updates, one rule each. */
export type LintRule =
  /** Updates come within hours of what they tell, not days. */
  | "promptness"
  /** Notes say what happened and what happens next. */
  | "notes"
  /** A window that people can read, around the date that software reads. */
  | "schedule"
  /** A number by which the update can be found again later. */
  | "references"
  /** Failures and rejections say why, and what can be had instead. */
  | "failures"
  /** Metadata looks the same on every update and tells nothing about the customer. */
  | "metadata"
  /** Contact is promised as soon as the marketplace expects it. */
  | "promise"
  /** Orders are answered in hours. */
  | "response"
  /** Who comes, and when the service begins, in metadata. */
  | "fields";

interface Words {
  readonly rule: LintRule;
  /** What is wrong and what to write instead. `$` stands for what it is about. */
  readonly message: string;
}

const FINDINGS = {
  "promptness.hours": {
    rule: "promptness",
    message: "This was told more than 4 hours after it happened. Report within hours.",
  },
  "promptness.days": {
    rule: "promptness",
    message: "This was told more than a day after it happened. Report within hours.",
  },
  "notes.missing": {
    rule: "notes",
    message: "There are no providerNotes. Say what happened and what happens next.",
  },
  "notes.short": {
    rule: "notes",
    message:
      "providerNotes have fewer than 20 characters. Say what happened and what happens next.",
  },
  "notes.repeated": {
    rule: "notes",
    message: "providerNotes are those of the update before. Say what has changed since.",
  },
  "notes.empty": {
    rule: "notes",
    message: "providerNotes only repeat the status. Say why, and what happens next.",
  },
  "notes.next": {
    rule: "notes",
    message: "providerNotes do not say what happens next. Say what you will do, and when.",
  },
  "schedule.window": {
    rule: "schedule",
    message: 'appointmentWindow "$" is no time of day. Write it as "1-5 PM" or "13:00-17:00".',
  },
  "schedule.outside": {
    rule: "schedule",
    message: "scheduledFor is $ local time, which is outside of appointmentWindow. Correct one.",
  },
  "references.missing": {
    rule: "references",
    message: "No work order, account or tracking number is known. Send workOrderId in metadata.",
  },
  "failures.reasonCode": {
    rule: "failures",
    message: 'There is no reasonCode. Name the kind of reason, "area" or "technical" for one.',
  },
  "failures.short": {
    rule: "failures",
    message: "providerNotes have fewer than 40 characters. Explain the reason and what comes next.",
  },
  "failures.alternatives": {
    rule: "failures",
    message:
      "Nothing is offered instead. Name alternatives, or send alternatives as an empty list.",
  },
  "metadata.key": {
    rule: "metadata",
    message: 'The metadata key "$" is not in camelCase. Write keys like workOrderId.',
  },
  "metadata.value": {
    rule: "metadata",
    message: 'The metadata value of "$" is no text. Send it as text, the same way each time.',
  },
  "metadata.personal": {
    rule: "metadata",
    message: 'The metadata value of "$" tells the customer\'s name, e-mail or phone. Leave it out.',
  },
  "promise.long": {
    rule: "promise",
    message: 'Contact is promised "$", which is more than 24 hours. Make it 24 hours at most.',
  },
  "response.goal": {
    rule: "response",
    message: "The order was answered more than 4 hours after it was made. Answer within 4 hours.",
  },
  "response.limit": {
    rule: "response",
    message: "The order was answered more than a day after it was made. Answer within 4 hours.",
  },
  "fields.reference": {
    rule: "fields",
    message: "metadata has no number of yours. Send orderRef or workOrderId with the receipt.",
  },
  "fields.technician": {
    rule: "fields",
    message:
      "metadata does not say who comes. Send technicianName, technicianPhone or technicianId.",
  },
  "fields.date": {
    rule: "fields",
    message:
      "metadata has no date of the service. Send activationDate, effectiveDate or completedDate.",
  },
} as const satisfies Record<string, Words>;

export type FindingName = keyof typeof FINDINGS;

const FINDING_NAMES = Object.keys(FINDINGS) as [FindingName, ...FindingName[]];

/** Characters of what a finding is about; a metadata key may be as long as metadata itself. */
const ABOUT_MAX = 64;

export const findingSchema = z.strictObject({
  name: z.enum(FINDING_NAMES),
  /** What it is about, when the name alone does not say it. */
  about: z.exactOptional(z.string()),
});

export type Finding = Readonly<z.infer<typeof findingSchema>>;

/** A finding in words. */
export interface Warning {
  readonly rule: LintRule;
  readonly message: string;
}

export function finding(name: FindingName, about?: string): Finding {
  return about === undefined ? { name } : { name, about: about.slice(0, ABOUT_MAX) };
}

export function ruleOf({ name }: Finding): LintRule {
  return FINDINGS[name].rule;
}

export function warningOf({ name, about = "" }: Finding): Warning {
  const { rule, message } = FINDINGS[name];
  // Not a pattern of `replace`: what it is about may hold any character.
  return { rule, message: message.split("$").join(about) };
}
