/**
 * What a key that is bound to an account gets to see. Always true: of an item of another account, or of
 * one of which nobody can say whose it is, such a key is told what it is told of one that is not there.
 */
import type { Grant } from "../core/grant.ts";
import type { ReadingSide } from "../engine/describe-item.ts";
import { accountsOf } from "../engine/item-accounts.ts";
import { mayUse } from "./access.ts";
import { plainProblem, type ProblemDetails } from "./problem-details.ts";

/** Whether a reader must not be told of the item. Asks Redis for a bound key only. */
export async function isHidden(
  reading: ReadingSide,
  grant: Grant,
  itemId: string,
): Promise<boolean> {
  if (grant.account === undefined) return false;
  const accountOf = await accountsOf(reading, [itemId]);
  return mayUse(grant, "items:read", accountOf(itemId)) !== "allowed";
}

export type AskedAccount =
  | { readonly outcome: "account"; readonly account: string | undefined }
  | { readonly outcome: "problem"; readonly problem: ProblemDetails };

/** The account that is told of: the key's own, else the one that was asked for, else all. */
export function accountFor(grant: Grant, asked: string | undefined): AskedAccount {
  if (asked === undefined) return { outcome: "account", account: grant.account };
  if (mayUse(grant, "items:read", asked) === "allowed") {
    return { outcome: "account", account: asked };
  }
  const detail = `API key ${grant.keyId} is of another account. Leave the parameter account out.`;
  return { outcome: "problem", problem: plainProblem(403, detail) };
}
