/**
 * The four workflows of the marketplace's lifecycle page, with the payloads that the page prints. Its
 * one appointment, January 15, 2025, is past by now; so that date, and no other word, is moved ahead.
 * Source: Offergrid docs, providers/order-workflow ("Order Status Lifecycle").
 */
import type { StatusUpdate } from "../offergrid/status-update.ts";
import type { Pair } from "../../machines/order-item/pairs.ts";
import type { Calendar, Fact, Story } from "./demo-story.ts";
import { eventsOf, inTurn, received } from "./demo-story.ts";

/** The page's own date, for showing what becomes of it today. */
export const PRINTED = { text: "Jan 15", date: "2025-01-15", onePm: "2025-01-15T13:00:00Z" };

const ACCEPTED: StatusUpdate = {
  status: "accepted",
  providerNotes:
    "Order accepted. Customer will be contacted within 24 hours to schedule installation.",
};

/** Step "Schedule installation" of workflow 1, on a day of one's choice. */
export function scheduledOn({ text, onePm }: { readonly text: string; readonly onePm: string }) {
  return {
    status: "scheduled",
    providerNotes: `Installation scheduled for ${text}, 1-5 PM`,
    scheduledFor: onePm,
    metadata: { appointmentWindow: "1-5 PM", technicianName: "Mike Johnson" },
  } as const satisfies StatusUpdate;
}

const REJECTED: StatusUpdate = {
  status: "rejected",
  providerNotes:
    "Service not available at this address. Building does not have fiber infrastructure. Cable internet available as alternative.",
};

const CANCELLED: StatusUpdate = {
  status: "cancelled",
  providerNotes: "Customer requested cancellation before installation. No fees charged.",
};

const POLICY_ACTIVE: StatusUpdate = {
  status: "active",
  providerNotes: "Policy activated immediately. Policy #POL-98765",
  metadata: { policyNumber: "POL-98765", effectiveDate: "2025-01-02" },
};

/** The page shows no payload for this step of workflow 2. */
const POLICY_ACCEPTED: StatusUpdate = {
  status: "accepted",
  providerNotes: "Application accepted. The policy is activated next.",
};

/** How a CRM reports each status that the page's workflows push. */
const REPORTED_AS: Readonly<Partial<Record<StatusUpdate["status"], Pair["event"]>>> = {
  accepted: "order.accepted",
  scheduled: "appointment.scheduled",
  in_progress: "work.started",
  active: "service.activated",
  rejected: "order.rejected",
  cancelled: "order.cancelled",
};

/** The fact that makes the engine push exactly this update. */
export function factOf({ status, ...data }: StatusUpdate): Fact {
  const type = REPORTED_AS[status];
  if (type === undefined) throw new TypeError(`no workflow pushes ${status}`);
  return { type, data };
}

export function workflowStories(calendar: Calendar): Story[] {
  const { appointment } = calendar;
  const working: StatusUpdate = {
    status: "in_progress",
    providerNotes: "Technician on-site, installation in progress",
  };
  const active: StatusUpdate = {
    status: "active",
    providerNotes: "Service activated successfully. Customer account #12345",
    metadata: { accountNumber: "12345", activationDate: appointment.date },
  };
  const insurance = received({
    offerName: "Home insurance",
    offerCategory: "insurance",
    requiresInstallation: false,
  });
  const workflow = (
    itemId: string,
    shows: string,
    { birth = received(), saw }: { readonly birth?: Fact; readonly saw: readonly StatusUpdate[] },
  ): Story => ({
    itemId,
    shows,
    jobs: inTurn(eventsOf(itemId, [birth, ...saw.map(factOf)], calendar)),
    path: ["pending", ...saw.map(({ status }) => status)],
    saw,
  });
  return [
    workflow("wf1-standard-installation", "workflow 1, on a Tuesday ahead", {
      saw: [ACCEPTED, scheduledOn(appointment), working, active],
    }),
    workflow("wf2-instant-activation", "workflow 2, an insurance", {
      birth: insurance,
      saw: [POLICY_ACCEPTED, POLICY_ACTIVE],
    }),
    workflow("wf3-rejection", "workflow 3", { saw: [REJECTED] }),
    workflow("wf4-cancellation", "workflow 4, after acceptance", { saw: [ACCEPTED, CANCELLED] }),
  ];
}
