/**
 * An API key as text: `ow_<id>_<secret><checksum>`, letters and digits in three words, so that a double
 * click takes all of it and scanners for leaked secrets can know it by its shape
 * (`ow_[0-9A-Za-z]{12}_[0-9A-Za-z]{49}`). The id is public. The checksum tells a copy with a slip from a
 * key that is wrong, without asking anybody; it proves nothing.
 */
import { createHash, randomInt, timingSafeEqual } from "node:crypto";
import { crc32 } from "node:zlib";

const DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/** More than any installation has keys: two never meet. */
const ID_LENGTH = 12;

/** 62 to the power of 43 is above 2 to the power of 256. */
const SECRET_LENGTH = 43;

/** 62 to the power of 6 is above 2 to the power of 32. */
const CHECKSUM_LENGTH = 6;

const SHAPE = new RegExp(
  `^ow_([0-9A-Za-z]{${ID_LENGTH}})_([0-9A-Za-z]{${SECRET_LENGTH}})([0-9A-Za-z]{${CHECKSUM_LENGTH}})$`,
);

export interface NewKey {
  readonly id: string;
  /** Shown once and kept nowhere. */
  readonly text: string;
}

export type KeyText =
  | { readonly is: "key"; readonly id: string; readonly text: string }
  | { readonly is: "malformed" }
  | { readonly is: "mistyped" };

export function newKey(): NewKey {
  const id = randomDigits(ID_LENGTH);
  const begin = `ow_${id}_${randomDigits(SECRET_LENGTH)}`;
  return { id, text: `${begin}${checksumOf(begin)}` };
}

/** Never throws. */
export function readKeyText(text: string): KeyText {
  const [, id, secret, checksum] = SHAPE.exec(text) ?? [];
  if (id === undefined) return { is: "malformed" };
  return checksumOf(`ow_${id}_${secret}`) === checksum
    ? { is: "key", id, text }
    : { is: "mistyped" };
}

/**
 * What is kept of a key. One round of SHA-256 is right here, and no slow password hash: a secret of 256
 * random bits cannot be guessed however fast one may try, and every request has to be looked at.
 */
export function digestOf(text: string): string {
  return createHash("sha256").update(text).digest("base64url");
}

/** Takes as long wherever the two differ. */
export function isOfDigest(text: string, digest: string): boolean {
  const [shown, kept] = [Buffer.from(digestOf(text)), Buffer.from(digest)];
  return shown.length === kept.length && timingSafeEqual(shown, kept);
}

function randomDigits(length: number): string {
  return Array.from({ length }, () => DIGITS.charAt(randomInt(DIGITS.length))).join("");
}

function checksumOf(text: string): string {
  let [rest, digits] = [crc32(text), ""];
  for (let place = 0; place < CHECKSUM_LENGTH; place += 1) {
    digits = DIGITS.charAt(rest % DIGITS.length) + digits;
    rest = Math.floor(rest / DIGITS.length);
  }
  return digits;
}
