/** lua/lane-score.lua in TypeScript. */
import { replyError } from "./reply-error.ts";

const ROUTINE = 10_000_000_000_000;

export function effectScore(effect: string): number {
  const [, letter, time] = /^([A-Za-z]) (\d+) /.exec(effect) ?? [];
  if (time === undefined) throw replyError("ERR bad argument #1 to 'tonumber' (value expected)");
  return (letter === "u" ? 0 : ROUTINE) + Number(time);
}

export function laneScore(effects: readonly string[]): number {
  const score = effectScore(effects[0] ?? "");
  return effects.some((effect) => effect.startsWith("u")) ? score % ROUTINE : score;
}
