/** Shared secrets and how long a signature made with them is good. */
import { z } from "zod";

/** How far a signed timestamp may be from now, either way: what the schemes' own libraries use. */
export const TOLERANCE_MS = 300_000;

/** Secrets that are active at a time: the new one, the old one, and one that somebody forgot. */
const SECRETS_MAX = 5;

/** Shorter ones can be guessed from a single delivery. */
const SECRET_MIN = 16;

export const plainSecretsSchema = secretsSchema(
  (secret) => secret.length >= SECRET_MIN,
  `a text of at least ${SECRET_MIN} characters`,
);

/** Secrets, the newest first. `what` is said of a wrong one, which is never repeated. */
export function secretsSchema(isSecret: (secret: string) => boolean, what: string) {
  return z
    .array(z.string({ error: `must be ${what}` }).refine(isSecret, `must be ${what}`))
    .min(1)
    .max(SECRETS_MAX);
}
