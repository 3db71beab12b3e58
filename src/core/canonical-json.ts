/** One text for all values that say the same as JSON: the order of keys and absent fields do not count. */
export function canonicalText(value: unknown): string {
  const text = JSON.stringify(value, (_key, each: unknown) =>
    isRecord(each) ? sorted(each) : each,
  );
  return text ?? "";
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function sorted(record: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
