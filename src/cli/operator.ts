/** Who works at the command line, and the audit journal's word about it before anything is done. */
import { userInfo } from "node:os";
import { type Command, InvalidArgumentError } from "commander";
import type { Act } from "../store/audit-chain.ts";
import { type AuditSide, recordAct } from "../store/audit-store.ts";

export interface OperatorFlags {
  readonly by?: string;
}

export interface ReasonFlags extends OperatorFlags {
  readonly reason?: string;
}

/** Names and reasons of the audit journal, in characters: enough for a ticket's title and its link. */
const TEXT_MAX = 1_000;

const NO_REASON = "(none given)";

export function withOperator(command: Command): Command {
  return command.option("--by <name>", "who does it (default: $USER); kept in the audit journal");
}

export function withReason(command: Command): Command {
  return withOperator(command).option("--reason <text>", "why; kept in the audit journal");
}

/** @throws InvalidArgumentError when nothing tells who it is */
export function operatorOf({ by }: OperatorFlags): string {
  const name = by ?? process.env["USER"] ?? process.env["LOGNAME"] ?? accountName();
  if (name !== undefined && name.trim() !== "" && name.length <= TEXT_MAX) return name;
  throw new InvalidArgumentError("Say who you are: --by NAME.");
}

/** A user without a line in the system's list has none, as in many containers. */
function accountName(): string | undefined {
  try {
    return userInfo().username;
  } catch {
    return undefined;
  }
}

/** To be called before the act is done. @throws EngineError STORE_CORRUPT, COMMIT_CONTENDED */
export async function recordOperation(
  side: AuditSide,
  flags: ReasonFlags,
  act: Omit<Act, "actor" | "reason" | "key">,
): Promise<void> {
  await recordAct(side, { ...act, actor: operatorOf(flags), reason: reasonOf(flags) });
}

/** @throws InvalidArgumentError when it is too long */
export function reasonOf({ reason: text = "" }: ReasonFlags): string {
  const reason = text.trim();
  if (reason.length > TEXT_MAX) {
    throw new InvalidArgumentError(`A reason has at most ${TEXT_MAX} characters.`);
  }
  return reason === "" ? NO_REASON : reason;
}
