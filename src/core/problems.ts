/** The sentences of refusals that several places give. Each says what happened and what to do. */
import type { z } from "zod";
import type { Actor, LivingActor, ParkedEvent, ParkedReason } from "./actor.ts";
import type { ArrivedEvent } from "./arrival.ts";
import type { ErrorCode, Problem } from "./errors.ts";
import { ERROR_CODES } from "./errors.ts";
import type { Machine } from "./machine.ts";

export function unknownType(
  machines: readonly Pick<Machine, "events">[],
  event: ArrivedEvent,
): Problem {
  const known = machines.flatMap((machine) => Object.keys(machine.events));
  return {
    code: "EVENT_TYPE_UNKNOWN",
    message: `No machine knows event type ${event.type} (event ${event.id} of ${event.source}). Known types: ${known.join(", ")}.`,
  };
}

export function unknownMachine(actor: Actor): Problem {
  return {
    code: "MACHINE_UNKNOWN",
    message: `Item ${actor.id} runs machine ${actor.machine} ${actor.version}, which this deployment does not have. Deploy that version beside the new one, then redrive.`,
  };
}

export function noItem({ subject }: ArrivedEvent): Problem {
  const message = `Nothing is known of item ${subject}, so none of its clocks runs. Check the item id.`;
  return { code: "ITEM_UNKNOWN", message };
}

export function noClocks(machine: Machine): Problem {
  const message = `Items of machine ${machine.id} have no clocks. There is nothing to be silent about.`;
  return { code: "CLOCK_HOLD_REFUSED", message };
}

/** The first issue that carries a code of ours names the problem; all issues are in the message. */
export function dataProblem(event: ArrivedEvent, error: z.ZodError): Problem {
  const coded = error.issues.map((issue) => codeOf(issue)).find((code) => code !== undefined);
  const said = error.issues
    .slice(0, 5)
    .map(({ path, message }) => `${["data", ...path].join(".")}: ${message}`);
  return {
    code: coded ?? "EVENT_DATA_INVALID",
    message: `${event.type} (event ${event.id} of ${event.source}) was not taken. ${said.join("; ")}`,
  };
}

function codeOf(issue: z.core.$ZodIssue): ErrorCode | undefined {
  if (issue.code !== "custom") return undefined;
  const code: unknown = issue.params?.["code"];
  return ERROR_CODES.find((known) => known === code);
}

/** An account may speak for its own items only. */
export function foreignProblem(
  machine: Machine,
  actor: LivingActor,
  event: ArrivedEvent,
): Problem | undefined {
  const { account } = machine.attributes(actor.snapshot.context);
  if (event.account === undefined || event.account === account) return undefined;
  return {
    code: "EVENT_SUBJECT_FOREIGN",
    message: `Item ${actor.id} belongs to account "${account}", and event ${event.id} of ${event.source} speaks for "${event.account}". Check the item id.`,
  };
}

export function existsProblem(machine: Machine, actor: LivingActor): Problem {
  return {
    code: "ITEM_EXISTS",
    message: `Item ${actor.id} was begun before, and is "${machine.status(actor.snapshot.value)}". Send what happened since.`,
    allowed: machine.allowedNow(actor.snapshot),
  };
}

export function parkedFull(actor: Actor, max: number): Problem {
  return {
    code: "PARKED_FULL",
    message: `Item ${actor.id} already holds ${max} parked events. Find out what it waits for, then redrive this one.`,
  };
}

export function journalFull(actor: Actor, max: number): Problem {
  return {
    code: "JOURNAL_FULL",
    message: `The journal of item ${actor.id} holds ${max} decisions, the limit. Find out what sends so much, then raise journalMax and redrive.`,
  };
}

export function waitingProblem(event: ArrivedEvent, reason: ParkedReason): Problem {
  const message =
    reason === "gap"
      ? `${event.type} is number ${event.sequence} of ${event.source}; an earlier number is missing and is awaited.`
      : `Nobody has announced item ${event.subject} yet; ${event.type} is kept until then.`;
  return { code: reason === "gap" ? "EVENT_TOO_EARLY" : "ITEM_UNKNOWN", message };
}

export function staleProblem(event: ArrivedEvent): Problem {
  return {
    code: "EVENT_STALE",
    message: `${event.source} has already told a later fact about item ${event.subject} than this ${event.type} of ${event.time}. Nothing to do.`,
  };
}

export function expiredProblem({ event, reason, until }: ParkedEvent): Problem {
  const waited = new Date(until).toISOString();
  const why = reason === "unknown-item" ? "nobody announced its item" : "its turn never came";
  return {
    code: reason === "unknown-item" ? "ITEM_UNKNOWN" : "PARKED_EXPIRED",
    message: `${event.type} (event ${event.id} of ${event.source}) waited for item ${event.subject} until ${waited}, and ${why}. Send what is missing, then redrive it.`,
  };
}
