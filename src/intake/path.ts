/**
 * Where in a body something is: names with dots between and places in lists, `job.lines[0].number`; `$`
 * in front begins at the whole body instead of at the element. There are no expressions, so that no
 * mapping can be slow, fail or run code.
 */
import { z } from "zod";

/** Steps. A deeper body is refused by the border anyway. */
const STEPS_MAX = 16;

const NAME = String.raw`[^\s.[\]{}"$]+`;
const PATH = new RegExp(String.raw`^(?:\$|${NAME})(?:\.${NAME}|\[\d{1,4}\])*$`, "u");

export const pathSchema = z
  .string()
  .max(256)
  .refine((text) => PATH.test(text) && stepsOf(text).length <= STEPS_MAX, {
    error: `must be a path: names with dots between and [n] for places in lists, up to ${STEPS_MAX} steps`,
  });

/** What a mapping reads from. */
export interface Scope {
  /** The whole body. */
  readonly body: unknown;
  /** The element of `each`, or the body when there is none. */
  readonly element: unknown;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
}

/** Undefined when nothing is there; null counts as nothing. */
export function valueAt(scope: Scope, path: string): unknown {
  const [first, ...rest] = stepsOf(path);
  const steps = first === "$" ? rest : [first, ...rest];
  let value: unknown = first === "$" ? scope.body : scope.element;
  for (const step of steps) value = step === undefined ? undefined : inside(value, step);
  return value ?? undefined;
}

/** A name of an object's own, so that "constructor" finds what the sender wrote and nothing else. */
function inside(value: unknown, step: string | number): unknown {
  if (typeof value !== "object" || value === null) return undefined;
  if (Array.isArray(value)) return typeof step === "number" ? (value[step] as unknown) : undefined;
  const name = String(step);
  return typeof step === "string" && Object.hasOwn(value, name)
    ? (value as Readonly<Record<string, unknown>>)[name]
    : undefined;
}

function stepsOf(path: string): readonly (string | number)[] {
  return [...path.matchAll(/\[(\d+)\]|([^.[\]]+)/g)].map(([, place, name]) =>
    place === undefined ? (name ?? "") : Number(place),
  );
}
