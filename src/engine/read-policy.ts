/** The border of SLA policies as texts, from a file or from the store. */
import { EngineError } from "../core/errors.ts";
import { DEFAULT_POLICY } from "../sla/default-policy.ts";
import { type Policy } from "../sla/policy.ts";
import { policySchema } from "../sla/policy-schema.ts";
import { readStoredPolicy, type StoredPolicy } from "../store/policy-store.ts";
import type { Store } from "../store/store.ts";

/** Some hundred exceptions; every process reads it whole and keeps it. */
export const POLICY_MAX_BYTES = 1_048_576;

/** A policy file has as many faults as somebody has patience to read of. */
const FAULTS_MAX = 50;

/** Versions of the program's own default, of which another release may have another. */
const DEFAULT_VERSIONS = /^default-/;

/**
 * @param from names the text in messages
 * @throws EngineError POLICY_INVALID with every fault under its path
 */
export function readPolicy(text: string, from: string): Policy {
  if (Buffer.byteLength(text) > POLICY_MAX_BYTES) {
    throw invalid(from, [`is longer than ${POLICY_MAX_BYTES} bytes`]);
  }
  const parsed = policySchema.safeParse(parseJson(text, from));
  if (!parsed.success) {
    throw invalid(
      from,
      parsed.error.issues.map(({ path, message }) => `${path.map(String).join(".")}: ${message}`),
    );
  }
  const { data: policy } = parsed;
  if (!DEFAULT_VERSIONS.test(policy.version) || isDefault(policy)) return policy;
  const name = 'must not begin with "default-": such versions are the program\'s own';
  throw invalid(from, [`version: ${name}`]);
}

/** A policy as it is stored: the same text for files that differ in spaces alone. */
export function textOfPolicy(policy: Policy): string {
  return JSON.stringify(policy);
}

export interface PolicyInForce {
  readonly policy: Policy;
  readonly stored: StoredPolicy;
}

/**
 * The deployment's policy: the stored one, else the default.
 * @throws EngineError POLICY_INVALID when this version of the program cannot read the stored one
 */
export async function readPolicyInForce(
  store: Pick<Store, "layout"> & { readonly redis: Pick<Store["redis"], "hmget"> },
): Promise<PolicyInForce> {
  const stored = await readStoredPolicy(store);
  const { text } = stored;
  return { policy: text === undefined ? DEFAULT_POLICY : readPolicy(text, STORED), stored };
}

const STORED = "The stored policy";

function isDefault(policy: Policy): boolean {
  return textOfPolicy(policy) === textOfPolicy(policySchema.parse(DEFAULT_POLICY));
}

function parseJson(text: string, from: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const said = cause instanceof Error ? cause.message : "it cannot be parsed";
    throw invalid(from, [`is not JSON: ${said}`], cause);
  }
}

function invalid(from: string, faults: readonly string[], cause?: unknown): EngineError {
  const shown = faults.slice(0, FAULTS_MAX).map((fault) => fault.replace(/^: /, ""));
  const rest = faults.length - shown.length;
  const lines = [...shown, ...(rest > 0 ? [`and ${rest} more`] : [])];
  const advice =
    from === STORED
      ? "Run the version of Orderwright that wrote it, or replace it with `orderwright policy set` or `orderwright policy reset`."
      : "Correct the file.";
  return new EngineError(
    "POLICY_INVALID",
    [`${from} is not an SLA policy. ${advice}`, ...lines].join("\n  "),
    cause === undefined ? undefined : { cause },
  );
}
