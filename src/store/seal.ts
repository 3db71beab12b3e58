/**
 * Texts of items as Redis holds them: plain, or sealed with a key of the deployment (AES-256-GCM).
 *
 * Always true: a sealed text opens only with its key and only at its place, so nobody who can write to
 * Redis can alter one or exchange those of two items. Whatever is plain is read as it is: sealing may be
 * switched on, and keys exchanged, while items go on. A text whose key is not here is an error, and
 * nothing is made of it.
 *
 * An envelope is `~<key id>.<base64url of nonce, ciphertext and tag>`; nothing that is stored plain begins
 * with a tilde. Nonces are random, 96 bits: exchange a key before it has sealed some billions of texts.
 * Source: https://nvlpubs.nist.gov/nistpubs/Legacy/SP/nistspecialpublication800-38d.pdf (8.3)
 */
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createSecretKey,
  type KeyObject,
  randomFillSync,
} from "node:crypto";
import { EngineError } from "../core/errors.ts";

/** What stands for whom: the parts that a text is bound to. None of them has a line feed. */
export type Place = readonly [
  kind: "actor" | "journal" | "effect" | "blocked" | "letter",
  ...string[],
];

export interface Seal {
  /** Id of the key that writes. */
  readonly keyId: string;
  readonly seal: (place: Place, text: string) => string;
  /** @throws EngineError STORE_KEY_MISSING, STORE_CORRUPT */
  readonly open: (place: Place, envelope: string) => string;
}

/** Whoever may have a seal. */
export interface SealingSide {
  /** Absent: texts are written plain, and sealed ones cannot be read. */
  readonly seal?: Seal | undefined;
}

/** A key as it is configured: `k2:<32 bytes as base64>`. */
export interface SealKey {
  readonly id: string;
  readonly key: KeyObject;
}

const ALGORITHM = "aes-256-gcm";
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const TILDE = 0x7e;

/** The configuration has checked their form. The first one writes. */
export function sealKeysOf(texts: readonly string[]): readonly SealKey[] {
  return texts.map((text) => {
    const [id = "", key = ""] = text.split(":");
    return { id, key: createSecretKey(Buffer.from(key, "base64")) };
  });
}

/** Tells two keys of one id apart, and nothing of the key. */
export function fingerprintOf({ id, key }: SealKey): string {
  const hash = createHash("sha256").update(`orderwright seal ${id}\n`);
  return hash.update(key.export()).digest("base64url").slice(0, 16);
}

export function openSeal(keys: readonly SealKey[]): Seal | undefined {
  const [first] = keys;
  if (first === undefined) return undefined;
  const byId = new Map(keys.map(({ id, key }) => [id, key]));
  const nextNonce = nonces();
  return {
    keyId: first.id,
    seal: (place, text) => {
      const nonce = nextNonce();
      const cipher = createCipheriv(ALGORITHM, first.key, nonce, { authTagLength: TAG_BYTES });
      cipher.setAAD(boundTo(first.id, place));
      const parts = [nonce, cipher.update(text, "utf8"), cipher.final(), cipher.getAuthTag()];
      return `~${first.id}.${Buffer.concat(parts).toString("base64url")}`;
    },
    open: (place, envelope) => {
      const { keyId, body } = partsOf(envelope);
      const key = byId.get(keyId);
      if (key === undefined) throw keyMissing(place, keyId);
      return opened({ keyId, key, place, body });
    },
  };
}

/** Gives back the text itself where there is no seal. */
export function sealed({ seal }: SealingSide, place: Place, text: string): string {
  return seal === undefined ? text : seal.seal(place, text);
}

/** @throws EngineError STORE_KEY_MISSING, STORE_CORRUPT */
export function unsealed({ seal }: SealingSide, place: Place, text: string): string {
  if (text.charCodeAt(0) !== TILDE) return text;
  if (seal === undefined) throw keyMissing(place, partsOf(text).keyId);
  return seal.open(place, text);
}

/** Under which key a text stands; `undefined` for a plain one. */
export function keyIdOf(text: string): string | undefined {
  return text.charCodeAt(0) === TILDE ? partsOf(text).keyId : undefined;
}

export function isKeyMissing(error: unknown): error is EngineError {
  return error instanceof EngineError && error.code === "STORE_KEY_MISSING";
}

function partsOf(envelope: string): { readonly keyId: string; readonly body: string } {
  const dot = envelope.indexOf(".");
  return { keyId: envelope.slice(1, Math.max(1, dot)), body: envelope.slice(dot + 1) };
}

interface Envelope {
  readonly keyId: string;
  readonly key: KeyObject;
  readonly place: Place;
  readonly body: string;
}

function opened({ keyId, key, place, body }: Envelope): string {
  const bytes = Buffer.from(body, "base64url");
  try {
    // Two spellings of one content are none that we have written.
    if (bytes.toString("base64url") !== body) throw new TypeError("another spelling");
    const nonce = bytes.subarray(0, NONCE_BYTES);
    const decipher = createDecipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES });
    decipher.setAAD(boundTo(keyId, place));
    decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
    const text = decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES), undefined, "utf8");
    return text + decipher.final("utf8");
  } catch (cause) {
    const message = `The sealed ${named(place)} does not open with key ${keyId}: it was altered, cut off or brought from elsewhere. Restore it from a backup.`;
    throw new EngineError("STORE_CORRUPT", message, { cause });
  }
}

function boundTo(keyId: string, place: Place): Buffer {
  return Buffer.from(`${keyId}\n${place.join("\n")}`, "utf8");
}

function keyMissing(place: Place, keyId: string): EngineError {
  return new EngineError(
    "STORE_KEY_MISSING",
    `The ${named(place)} is sealed with key "${keyId}", which this process does not have. Nothing was done with it. Put the key back into ORDERWRIGHT_ENCRYPTION_KEYS, behind the first one.`,
  );
}

function named([kind, name]: Place): string {
  return `${kind} text of ${name}`;
}

/** Asking the system for each would take as long as the sealing. */
function nonces(): () => Buffer {
  const pool = Buffer.alloc(NONCE_BYTES * 256);
  let used = pool.length;
  return () => {
    if (used === pool.length) {
      randomFillSync(pool);
      used = 0;
    }
    used += NONCE_BYTES;
    return Buffer.from(pool.subarray(used - NONCE_BYTES, used));
  };
}
