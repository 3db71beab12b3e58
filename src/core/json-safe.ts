/**
 * What JSON would change without a word: a Date becomes text, a Map `{}`, NaN `null`, a function
 * nothing. A context that holds one works until the first restart, so it is refused at the first step.
 * `undefined` is taken in objects, where absent and undefined mean the same to every reader, and
 * refused in lists, where it would become `null`.
 */

/** Levels of nesting. Deeper values overflow the stack of whoever walks them. */
export const JSON_DEPTH_MAX = 100;

export function jsonFault(value: unknown, path: string, depth = 0): string | undefined {
  switch (typeof value) {
    case "string":
    case "boolean":
    case "undefined":
      return undefined;
    case "number":
      return Number.isFinite(value) ? undefined : `${path} is ${value}, which JSON cannot hold`;
    case "object":
      return value === null ? undefined : objectFault(value, path, depth);
    case "bigint":
    case "function":
    case "symbol":
      return `${path} is a ${typeof value}, which JSON cannot hold`;
  }
}

function objectFault(value: object, path: string, depth: number): string | undefined {
  if (depth >= JSON_DEPTH_MAX) {
    return `${path.slice(0, 80)}… is nested deeper than ${JSON_DEPTH_MAX} levels, or holds itself`;
  }
  if (Array.isArray(value)) return listFault(value, path, depth);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) {
    return `${path} is a ${value.constructor.name}, which does not survive JSON`;
  }
  for (const [key, each] of Object.entries(value)) {
    const fault = jsonFault(each, `${path}.${key}`, depth + 1);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function listFault(list: readonly unknown[], path: string, depth: number): string | undefined {
  // By index, not by entry: a hole would become `null` as well.
  for (let index = 0; index < list.length; index += 1) {
    const each = list[index];
    if (each === undefined) return `${path}.${index} is undefined, which a JSON list cannot hold`;
    const fault = jsonFault(each, `${path}.${index}`, depth + 1);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

/** Whether something lies below that many levels. Safe for any depth. */
export function isDeeperThan(levels: number, value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (levels === 0) return true;
  return Object.values(value).some((each) => isDeeperThan(levels - 1, each));
}

/**
 * The value as it will be read back: without `undefined`. An object that loses a key in JSON and gets
 * it back later has it in another place, and replay, which compares bytes, would not find the same.
 */
export function asStored<Value>(value: Value): Value {
  return holdsUndefined(value) ? (JSON.parse(JSON.stringify(value)) as Value) : value;
}

function holdsUndefined(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return value === undefined;
  return Object.values(value).some(holdsUndefined);
}
