/**
 * What JSON would change without a word: a Date becomes text, a Map `{}`, NaN `null`, a function
 * nothing. A context that holds one works until the first restart, so it is refused at the first step.
 * `undefined` is taken: absent and undefined mean the same to every reader.
 */
export function jsonFault(value: unknown, path: string): string | undefined {
  switch (typeof value) {
    case "string":
    case "boolean":
    case "undefined":
      return undefined;
    case "number":
      return Number.isFinite(value) ? undefined : `${path} is ${value}, which JSON cannot hold`;
    case "object":
      return value === null ? undefined : objectFault(value, path);
    case "bigint":
    case "function":
    case "symbol":
      return `${path} is a ${typeof value}, which JSON cannot hold`;
  }
}

function objectFault(value: object, path: string): string | undefined {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (!Array.isArray(value) && prototype !== Object.prototype && prototype !== null) {
    return `${path} is a ${value.constructor.name}, which does not survive JSON`;
  }
  for (const [key, each] of Object.entries(value)) {
    const fault = jsonFault(each, `${path}.${key}`);
    if (fault !== undefined) return fault;
  }
  return undefined;
}
