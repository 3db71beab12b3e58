/** API keys in words, for a terminal. Pure. */
import { type KeyTerms, type MadeKey, standingOf, type StoredKey } from "../store/key-store.ts";
import { relativeText, table, timeText } from "./text-layout.ts";

export function madeText({
  id,
  text,
  name,
  scopes,
  account,
  expiresAt,
}: MadeKey & KeyTerms): string {
  const facts = [
    ["Id", id],
    ["For", name],
    ["May", scopes.join(", ")],
    ["Account", account ?? "all"],
    ["Expires", expiresAt === undefined ? "never" : timeText(expiresAt)],
  ];
  return `${text}

${table([], facts, "  ")}

This is the only time that the key is shown. Send it as the header \`authorization: Bearer KEY\`
or \`x-api-key: KEY\`.`;
}

export function keysText(keys: readonly StoredKey[], now: number): string {
  if (keys.length === 0) return NO_KEYS;
  const headings = ["ID", "FOR", "MAY", "ACCOUNT", "STANDING", "LAST USED"];
  return table(
    headings,
    keys.map((key) => [
      key.id,
      key.name,
      key.scopes.join(" "),
      key.account ?? "all",
      standingText(key, now),
      key.lastUsedAt === undefined ? "never" : relativeText(key.lastUsedAt, now),
    ]),
  );
}

const NO_KEYS =
  "No key was made yet: the HTTP API is open to everybody on its machine. Make one: orderwright keys create.";

function standingText(key: StoredKey, now: number): string {
  const standing = standingOf(key, now);
  if (standing !== "good") return standing;
  const ends = [key.expiresAt, key.replaced?.until].filter((end) => end !== undefined);
  if (ends.length === 0) return standing;
  const word = key.replaced === undefined ? "expires" : "replaced";
  return `${word} ${relativeText(Math.min(...ends), now)}`;
}
