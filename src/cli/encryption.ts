/** `orderwright encryption`: under which keys the texts in Redis stand, and all of them under the first one. */
import { Command } from "commander";
import { countSeals, reseal, type Resealed, type SealCounts } from "../store/seal-walk.ts";
import { complain, print, printJson } from "./output.ts";
import { type ReasonFlags, recordOperation, withReason } from "./operator.ts";
import { type ConfigOption, newCommand, withStore } from "./session.ts";
import { table } from "./text-layout.ts";

interface StatusFlags extends ConfigOption {
  readonly json?: true;
}

type RewriteFlags = StatusFlags & ReasonFlags;

export function encryptionCommand(): Command {
  return new Command("encryption")
    .description("What Redis holds of items, sealed or plain. docs/personal-data.md has it all.")
    .addCommand(
      newCommand("status")
        .description("Count the texts that stand under each key, and the plain ones.")
        .option("--json", "one JSON document")
        .action(status),
    )
    .addCommand(
      withReason(newCommand("rewrite"))
        .description(
          "Write every text anew under the first key of ORDERWRIGHT_ENCRYPTION_KEYS, while items go on. Start it again if it was stopped.",
        )
        .option("--json", "one JSON document")
        .action(rewrite),
    );
}

async function status({ json, ...options }: StatusFlags): Promise<void> {
  await withStore(options, async ({ store, config }) => {
    const counts = await countSeals(store);
    const known = (config.encryptionKeys ?? []).map((key) => key.split(":", 1)[0] ?? "");
    if (json)
      printJson({ first: store.seal?.keyId ?? null, texts: Object.fromEntries(named(counts)) });
    else print(statusText(counts, known));
  });
}

function named(counts: SealCounts): [string, number][] {
  return [...counts].map(([id, count]) => [id === "" ? "(plain)" : id, count]);
}

function statusText(counts: SealCounts, known: readonly string[]): string {
  const ids = new Set([...known, ...[...counts.keys()].toSorted()]);
  if (ids.size === 0) return "Redis holds no texts of items.";
  const rows = [...ids].map((id) => [
    id === "" ? "(plain)" : id,
    String(counts.get(id) ?? 0),
    noteOf(id, known),
  ]);
  return table(["KEY", "TEXTS", ""], rows);
}

function noteOf(id: string, known: readonly string[]): string {
  if (id === known[0]) return "seals what is written now";
  if (id === "") return known.length === 0 ? "what is written now" : "until it is rewritten";
  return known.includes(id) ? "opens" : "MISSING: nothing under it can be read";
}

async function rewrite({ json, ...flags }: RewriteFlags): Promise<void> {
  await withStore(flags, async ({ store }) => {
    const to = store.seal?.keyId;
    if (to !== undefined) {
      await recordOperation(store, flags, { action: "encryption rewrite", detail: { to } });
    }
    const done = await reseal(store);
    if (done.busy > 0 || done.unopened.size > 0) process.exitCode = 1;
    if (json) printJson({ ...done, unopened: Object.fromEntries(done.unopened) });
    else tell(done, to);
  });
}

function tell({ rewritten, upToDate, busy, unopened }: Resealed, to = ""): void {
  print(`${rewritten} texts were written anew under key "${to}"; ${upToDate} stood so already.`);
  if (busy > 0) complain(`${busy} texts were changed by others all the time. Start it once more.`);
  for (const [reason, count] of unopened) {
    const [id, code = ""] = reason.split(" ");
    complain(`${count} texts under key "${id}" do not open (${code}), and were left as they are.`);
  }
}
