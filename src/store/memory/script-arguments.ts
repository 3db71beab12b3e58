/** Reads a script's arguments in turn, as commit.lua and settle-lanes.lua do. */
export interface ScriptArguments {
  readonly take: () => string;
  /** A count, then that many. */
  readonly takeList: () => string[];
  /** A count, then that many pairs. */
  readonly takePairs: () => [string, string][];
}

export function readArguments(args: readonly string[], from: number): ScriptArguments {
  let at = from;
  const take = (): string => {
    const value = args[at] ?? "";
    at += 1;
    return value;
  };
  return {
    take,
    takeList: () => Array.from({ length: Number(take()) }, take),
    takePairs: () => Array.from({ length: Number(take()) }, () => [take(), take()]),
  };
}
