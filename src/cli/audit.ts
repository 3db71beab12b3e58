/** `orderwright audit`: who did what, when and why, and whether the journal of it is still whole. */
import { type Command, InvalidArgumentError } from "commander";
import type { AuditEntry, AuditHead } from "../store/audit-chain.ts";
import { type AuditVerdict, readAudit, verifyAudit } from "../store/audit-store.ts";
import { complain, print, printJson } from "./output.ts";
import { type ConfigOption, newCommand, withStore } from "./session.ts";
import { table, timeText } from "./text-layout.ts";

/** Entries that a table shows; --json has all. */
const SHOWN = 50;

interface ListFlags extends ConfigOption {
  readonly item?: string;
  readonly json?: true;
}

interface VerifyFlags extends ConfigOption {
  readonly head?: AuditHead;
  readonly json?: true;
}

export function auditCommand(): Command {
  return newCommand("audit")
    .description("List what operators did: who, when, to which item, and why.")
    .option("--item <id>", "only what was done to this item")
    .option("--json", "print one JSON document a line, oldest first, all of them")
    .action(list)
    .addCommand(
      newCommand("verify")
        .description(
          "Walk the whole journal, tell the first entry that does not fit, and print its head. Keep the head elsewhere: entries that were cut off the end are seen only against one that was kept.",
        )
        .option("--head <head>", "a head that was kept: the journal must have it in it", headFrom)
        .option("--json", "print one JSON document")
        .addHelpText("after", "\nExit code: 0 when it is whole, 1 otherwise.")
        .action((_flags: VerifyFlags, command: Command) => verify(command.optsWithGlobals())),
    );
}

async function list({ item, json, ...options }: ListFlags): Promise<void> {
  let found = 0;
  const shown: AuditEntry[] = [];
  await withStore(options, async ({ store }) => {
    for await (const entry of readAudit(store)) {
      if (item !== undefined && entry.item !== item) continue;
      found += 1;
      if (json) {
        print(JSON.stringify(entry));
        continue;
      }
      shown.push(entry);
      if (shown.length > SHOWN) shown.shift();
    }
  });
  if (json) return;
  if (found === 0) {
    print(item === undefined ? "Nobody has done anything yet." : `Nobody has touched ${item}.`);
    return;
  }
  print(table(["NO", "WHEN", "WHO", "WHAT", "ITEM", "WHY"], shown.map(rowOf)));
  if (found > SHOWN) print(`The latest ${SHOWN} of ${found}; --json has all.`);
}

function rowOf(entry: AuditEntry): string[] {
  const { seq, at, action, item, reason, of, outcome } = entry;
  const what = outcome === undefined ? action : `${action} ${of}: ${outcome}`;
  return [String(seq), timeText(at), whoOf(entry), what, item ?? "-", reason].map(oneLine);
}

function whoOf({ actor, key, claimed }: AuditEntry): string {
  const name = claimed === undefined ? actor : `${claimed}, by ${actor}`;
  return key === undefined ? name : `${name} (key ${key})`;
}

/** What somebody wrote must not draw lines of its own on another's terminal. */
function oneLine(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, " ");
}

async function verify({ head, json, ...options }: VerifyFlags): Promise<void> {
  const verdict = await withStore(options, ({ store }) => verifyAudit(store, head));
  if (verdict.outcome !== "sound") process.exitCode = 1;
  if (json) printJson(verdict);
  else if (verdict.outcome === "sound") print(soundText(verdict.head));
  else complain(faultText(verdict));
}

function soundText(head: AuditHead): string {
  return `${head.seq === 1 ? "1 entry" : `${head.seq} entries`}, each following the one before it.
Head: ${headText(head)}
Keep the head outside of Redis. Later \`orderwright audit verify --head\` with it tells whether
the journal still has all that it had.`;
}

function faultText(verdict: Exclude<AuditVerdict, { readonly outcome: "sound" }>): string {
  switch (verdict.outcome) {
    case "broken":
      return `Entry ${verdict.seq} does not fit: ${verdict.why}. Somebody has changed the journal there, or at the
entry before it. Up to head ${headText(verdict.head)} it is whole; compare with a backup.`;
    case "not-the-kept":
      return `The journal does not have the head ${headText(verdict.kept)} that was kept: entries were cut off, or all
were written anew. It is whole by itself, with head ${headText(verdict.head)}.`;
  }
}

function headText({ seq, hash }: AuditHead): string {
  return `${seq}:${hash}`;
}

/** @throws InvalidArgumentError */
function headFrom(text: string): AuditHead {
  const [, seq, hash] = /^(\d{1,15}):([0-9a-f]{64})$/.exec(text) ?? [];
  if (seq !== undefined && hash !== undefined) return { seq: Number(seq), hash };
  throw new InvalidArgumentError("It is what `orderwright audit verify` prints: 12:3f9a….");
}
