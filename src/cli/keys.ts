/** `orderwright keys`: API keys for the HTTP API, made, listed, rotated and revoked. */
import { Command, InvalidArgumentError, Option } from "commander";
import type { Config } from "../config.ts";
import { type Scope, SCOPES } from "../core/grant.ts";
import { CACHED_FOR_MS } from "../store/key-ring.ts";
import {
  findKey,
  type KeyTerms,
  listKeys,
  makeKey,
  revokeKey,
  rotateKey,
  standingOf,
  type StoredKey,
} from "../store/key-store.ts";
import { storeNow, type Until, untilOf } from "./clock-hold.ts";
import { keysText, madeText } from "./keys-text.ts";
import { type ReasonFlags, recordOperation, withOperator, withReason } from "./operator.ts";
import { print, printJson } from "./output.ts";
import { type ConfigOption, newCommand, type StoreSession, withStore } from "./session.ts";
import { timeText } from "./text-layout.ts";

/** Requests a minute of a key, each with up to 100 events: far above a CRM's, far below a flood. */
const PER_MINUTE = 6_000;
const PER_MINUTE_MAX = 1_000_000;

/** Both keys are good for a day, in which whoever uses the old one is given the new one. */
const OVERLAP = "24h";

const NAME_MAX = 100;

interface Flags extends ConfigOption, ReasonFlags {
  readonly json?: true;
}

interface CreateFlags extends Flags {
  readonly name: string;
  readonly scope: readonly Scope[];
  readonly account?: string;
  readonly expires?: Until;
  readonly perMinute: number;
}

interface RotateFlags extends Flags {
  readonly overlap: Until;
  readonly expires?: Until;
}

export function keysCommand(): Command {
  return new Command("keys")
    .description("API keys for the HTTP API. docs/security.md has it all.")
    .addCommand(createCommand())
    .addCommand(
      newCommand("list")
        .description("List all keys that were ever made, without their secrets.")
        .option("--json", "print one JSON document")
        .action(list),
    )
    .addCommand(rotateCommand())
    .addCommand(
      withOperator(newCommand("revoke"))
        .description(`Make a key good for nothing, within ${CACHED_FOR_MS / 1_000} seconds.`)
        .argument("<id>", "id of the key, see `orderwright keys list`")
        .requiredOption("--reason <text>", "why; kept in the audit journal")
        .option("--json", "print one JSON document")
        .action(revoke),
    );
}

function createCommand(): Command {
  return withReason(newCommand("create"))
    .description("Make a key and print it, this once. What is kept cannot be turned back into it.")
    .requiredOption("--name <name>", "whose it is, for people", nameFrom)
    .requiredOption("--scope <scope...>", `what it may do: ${SCOPES.join(", ")}`, scopesFrom)
    .option("--account <name>", "only items of this marketplace account")
    .option("--expires <time>", "good for so long, 90d, or until a moment", untilOf)
    .option("--per-minute <requests>", "requests a minute at most", perMinuteFrom, PER_MINUTE)
    .option("--json", "print one JSON document")
    .action(create);
}

function rotateCommand(): Command {
  return withReason(newCommand("rotate"))
    .description("Make a key that takes the place of another; for a while both are good.")
    .argument("<id>", "id of the old key, see `orderwright keys list`")
    .addOption(
      new Option("--overlap <time>", "how long both are good, 0m for not at all")
        .argParser(untilOf)
        .default(untilOf(OVERLAP), OVERLAP),
    )
    .option(
      "--expires <time>",
      "of the new key (default: as long as the old one was given)",
      untilOf,
    )
    .option("--json", "print one JSON document")
    .action(rotate);
}

async function create(flags: CreateFlags): Promise<void> {
  const made = await withStore(flags, async (session) => {
    const { name, scope: scopes, account, perMinute } = flags;
    checkAccount(session.config, account);
    const now = await storeNow(session.store);
    const terms: KeyTerms = {
      name,
      scopes,
      perMinute,
      createdAt: now,
      ...(account !== undefined && { account }),
      ...(flags.expires !== undefined && { expiresAt: momentOf(flags.expires, now) }),
    };
    await recordOperation(session.store, flags, { action: "keys create", detail: { ...terms } });
    return { ...(await makeKey(session.store, terms)), ...terms };
  });
  if (flags.json) printJson(made);
  else print(madeText(made));
}

async function list({ json, ...options }: Flags): Promise<void> {
  const { keys, now } = await withStore(options, async (session) => ({
    keys: await listKeys(session.store),
    now: await storeNow(session.store),
  }));
  if (json) {
    // The digest helps nobody who may see the list.
    const shown = keys.map((key) => ({
      ...key,
      digest: undefined,
      standing: standingOf(key, now),
    }));
    printJson(shown);
  } else print(keysText(keys, now));
}

async function rotate(id: string, flags: RotateFlags): Promise<void> {
  const made = await withStore(flags, async (session) => {
    const now = await storeNow(session.store);
    const old = await goodKey(session, id, now);
    const terms = termsAnew(old, flags, now);
    const until = momentOf(flags.overlap, now, "the past is allowed");
    const detail = { key: id, until, ...terms };
    await recordOperation(session.store, flags, { action: "keys rotate", detail });
    const rotated = await rotateKey(session.store, old, { terms, until });
    if (rotated.outcome === "revoked") throw notGood(id, "revoked");
    return { id: rotated.id, text: rotated.text, ...terms, replaces: id, until };
  });
  if (flags.json) printJson(made);
  else print(`${madeText(made)}\nKey ${id} is good until ${timeText(made.until)}.`);
}

async function revoke(id: string, flags: Flags): Promise<void> {
  const { outcome, key } = await withStore(flags, async (session) => {
    const found = await knownKey(session, id);
    const now = await storeNow(session.store);
    const { name } = found;
    await recordOperation(session.store, flags, {
      action: "keys revoke",
      detail: { key: id, name },
    });
    return { key: found, outcome: await revokeKey(session.store, id, now) };
  });
  if (flags.json) {
    printJson({ id, outcome });
    return;
  }
  const within = `It opens nothing after ${CACHED_FOR_MS / 1_000} seconds at the latest.`;
  print(outcome === "revoked" ? `Revoked: key ${id}. ${within}` : `Key ${id} had been revoked.`);
  if (key.replaced !== undefined) print(`Key ${key.replaced.by}, which replaced it, goes on.`);
}

function termsAnew(old: StoredKey, { expires }: RotateFlags, now: number): KeyTerms {
  const { name, scopes, account, perMinute, createdAt } = old;
  const givenMs = old.expiresAt === undefined ? undefined : old.expiresAt - createdAt;
  const expiresAt =
    expires !== undefined
      ? momentOf(expires, now)
      : givenMs === undefined
        ? undefined
        : now + givenMs;
  return {
    name,
    scopes,
    perMinute,
    createdAt: now,
    ...(account !== undefined && { account }),
    ...(expiresAt !== undefined && { expiresAt }),
  };
}

async function goodKey(session: StoreSession, id: string, now: number): Promise<StoredKey> {
  const key = await knownKey(session, id);
  const standing = standingOf(key, now);
  if (standing !== "good") throw notGood(id, standing);
  if (key.replaced !== undefined) throw notGood(id, "replaced");
  return key;
}

function notGood(id: string, standing: string): InvalidArgumentError {
  return new InvalidArgumentError(
    `Key ${id} is ${standing}, so it is not rotated. Make a new one: orderwright keys create.`,
  );
}

async function knownKey({ store }: StoreSession, id: string): Promise<StoredKey> {
  const key = await findKey(store, id);
  if (key !== undefined) return key;
  throw new InvalidArgumentError(`There is no key "${id}". See \`orderwright keys list\`.`);
}

/** A key for an account that is mistyped would open nothing, and nobody would see why. */
function checkAccount({ marketplace }: Config, account: string | undefined): void {
  if (account === undefined || marketplace.kind === "sandbox") return;
  const known = marketplace.accounts.map(({ name }) => name);
  if (known.includes(account)) return;
  throw new InvalidArgumentError(
    `There is no account "${account}". Configured: ${known.join(", ")}.`,
  );
}

/** @throws InvalidArgumentError for a moment that is over */
function momentOf(until: Until, now: number, past?: "the past is allowed"): number {
  const moment = until.is === "span" ? now + until.ms : until.at;
  if (moment > now || past !== undefined) return moment;
  throw new InvalidArgumentError(
    "A key that has expired already opens nothing. Name a later time.",
  );
}

function nameFrom(text: string): string {
  const name = text.trim();
  if (name !== "" && name.length <= NAME_MAX) return name;
  throw new InvalidArgumentError(`A name has 1 to ${NAME_MAX} characters.`);
}

function scopesFrom(text: string, earlier: readonly Scope[] = []): readonly Scope[] {
  const named = text.split(",").map((each) => each.trim());
  const scopes = SCOPES.filter((scope) => named.includes(scope) || earlier.includes(scope));
  const isKnown = named.every((each) => SCOPES.some((scope) => scope === each));
  if (isKnown) return scopes;
  throw new InvalidArgumentError(`A scope is one of ${SCOPES.join(", ")}.`);
}

function perMinuteFrom(text: string): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= 1 && number <= PER_MINUTE_MAX) return number;
  throw new InvalidArgumentError(`It is a number from 1 to ${PER_MINUTE_MAX}.`);
}
