/** Openings of what a Redis says that has no memory, another master, no replicas or a full disk; 6 puts them inside. */
const NO_WRITES = /\b(READONLY|NOREPLICAS|OOM|MISCONF)\b/;

/** Whether Redis answers and takes no writes now, which passes without anybody changing anything here. */
export function takesNoWrites(error: unknown): boolean {
  return error instanceof Error && NO_WRITES.test(error.message);
}
