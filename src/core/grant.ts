/**
 * Who may do what. A grant is what an API key gives whoever shows it: some of the scopes below, for all
 * provider accounts or for one. Whoever keeps the keys answers with one; whoever is asked for something
 * compares it with what that needs.
 */

/** In the order of their power. `admin` has all the others in it. */
export const SCOPES = ["events:write", "items:read", "items:operate", "admin"] as const;

export type Scope = (typeof SCOPES)[number];

export interface Grant {
  /** Public id of the key; "local" for this machine itself while no key was ever made. */
  readonly keyId: string;
  readonly name: string;
  readonly scopes: readonly Scope[];
  /** Only items of this provider account. Absent: of all. */
  readonly account?: string;
  /** Requests a minute, all processes together; null: not counted. */
  readonly perMinute: number | null;
}

/** What became of a text that was shown as a key. */
export type KeyCheck =
  | { readonly standing: "good"; readonly grant: Grant }
  | { readonly standing: KeyFault };

export type KeyFault =
  /** Not of a key's shape at all. */
  | "malformed"
  /** Of the shape, but its checksum does not fit: it was copied wrongly. */
  | "mistyped"
  /** No such key, or another secret than its own. */
  | "unknown"
  | "expired"
  | "revoked"
  /** Rotated, and the time in which both keys were good is over. */
  | "replaced";
