/**
 * Metadata that goes to the marketplace: an object of flat values, so that resellers can read it by
 * program. Reference numbers in it are kept and repeated on every later push, because a reseller
 * looks for the work order on whichever update it happens to see.
 */
import { z } from "zod";

type MetadataValue = string | number | boolean | readonly string[];
export type Metadata = { readonly [key: string]: MetadataValue };

export const metadataRecordSchema = z.record(
  z.string(),
  z.union([z.string(), z.number(), z.boolean(), z.array(z.string())]),
);

/** Keys that identify something at the provider, carried forward once known. */
const REFERENCE_KEYS = [
  "workOrderId",
  "confirmationNumber",
  "trackingNumber",
  "accountNumber",
  "policyNumber",
  "orderRef",
] as const;

/** A finished service must be found again by at least one of these. */
const SERVICE_REFERENCE_KEYS = ["accountNumber", "policyNumber", "orderRef"] as const;

export const referencesSchema = z.record(z.string(), z.union([z.string(), z.number()]));

export type References = Readonly<z.infer<typeof referencesSchema>>;

/** METADATA_INVALID for anything but flat values, METADATA_TOO_LARGE above `maxBytes` of JSON. */
export function metadataSchema(maxBytes: number) {
  return z
    .json()
    .superRefine((value, issues) => {
      if (!metadataRecordSchema.safeParse(value).success) {
        issues.addIssue({
          code: "custom",
          message: "Metadata is an object of strings, numbers, booleans and lists of strings.",
          params: { code: "METADATA_INVALID" },
        });
        return;
      }
      const sizeBytes = new TextEncoder().encode(JSON.stringify(value)).length;
      if (sizeBytes <= maxBytes) return;
      issues.addIssue({
        code: "custom",
        message: `Metadata has ${sizeBytes} bytes, the limit is ${maxBytes}. Send references only.`,
        params: { code: "METADATA_TOO_LARGE" },
      });
    })
    .pipe(metadataRecordSchema);
}

export function holdsReference(metadata: Metadata | undefined): boolean {
  return metadata !== undefined && REFERENCE_KEYS.some((key) => isReference(metadata[key]));
}

export function withReferencesOf(known: References, metadata: Metadata | undefined): References {
  if (metadata === undefined || !holdsReference(metadata)) return known;
  const found = REFERENCE_KEYS.flatMap((key): [string, string | number][] => {
    const value = metadata[key];
    return isReference(value) ? [[key, value]] : [];
  });
  return { ...known, ...Object.fromEntries(found) };
}

export function hasServiceReference(references: References): boolean {
  return SERVICE_REFERENCE_KEYS.some((key) => references[key] !== undefined);
}

function isReference(value: MetadataValue | undefined): value is string | number {
  return typeof value === "number" || (typeof value === "string" && value.trim() !== "");
}
