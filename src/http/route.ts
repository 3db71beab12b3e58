/**
 * A route as data: what it needs, what it takes and what it answers. The server, `/openapi.json` and
 * `/docs` are made from the same description, so that none of them can say something else.
 */
import type { z } from "zod";
import type { Grant } from "../core/grant.ts";
import type { Reading } from "../engine/reading.ts";
import type { RouteScope } from "./access.ts";
import { codedProblem, type ProblemDetails } from "./problem-details.ts";

export interface Answer {
  readonly status: number;
  readonly description: string;
  /** Of the body; absent for a body that is no JSON of ours. */
  readonly schema?: z.ZodType;
  /** `application/json` unless it is said, `application/problem+json` from 400 on. */
  readonly mediaType?: string;
}

export interface RouteDescription {
  readonly method: "GET" | "POST";
  /** With `{name}` for parameters. */
  readonly path: string;
  /** What a client must be allowed to do. */
  readonly scope: RouteScope;
  readonly group: "Events" | "Items" | "Actions" | "Overview" | "Process";
  /** One line. */
  readonly summary: string;
  readonly description: string;
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly headers?: z.ZodObject;
  readonly body?: z.ZodType;
  readonly answers: readonly Answer[];
  /** Nothing of it comes out of items: it is shown to every key as it is. */
  readonly isFreeOfPersonalData?: true;
}

/** As Fastify writes it: `{id}` is `:id`. */
export function fastifyPath({ path }: Pick<RouteDescription, "path">): string {
  return path.replace(/\{(\w+)\}/g, ":$1");
}

/** What a reading route says. */
export type Told =
  | { readonly outcome: "found"; readonly body: unknown }
  | { readonly outcome: "problem"; readonly problem: ProblemDetails };

/** A request as it came, and when its client has gone. */
export interface Asked {
  readonly params: unknown;
  readonly query: unknown;
  /** Of whoever asks: what is told is of items that it may see. */
  readonly grant: Grant;
  readonly signal: AbortSignal;
}

export interface ReadRoute extends RouteDescription {
  readonly method: "GET";
  /** Longest time for an answer, ms; absent for the ordinary one. */
  readonly timeoutMs?: number;
  /** Of which kind there are few places. */
  readonly isHeavy?: true;
  readonly run: (reading: Reading, asked: Asked) => Promise<Told>;
}

type Values<Schema extends z.ZodObject | undefined> = Schema extends z.ZodObject
  ? z.output<Schema>
  : Readonly<Record<string, never>>;

type ReadRouteText<
  Params extends z.ZodObject | undefined,
  Query extends z.ZodObject | undefined,
> = Omit<ReadRoute, "method" | "run" | "params" | "query"> & {
  readonly params?: Params;
  readonly query?: Query;
  readonly answer: (
    reading: Reading,
    asked: {
      readonly params: Values<Params>;
      readonly query: Values<Query>;
      readonly grant: Grant;
      readonly signal: AbortSignal;
    },
  ) => Promise<Told>;
};

/** Parses the parameters first, and answers 400 with all their faults. */
export function readRoute<
  Params extends z.ZodObject | undefined = undefined,
  Query extends z.ZodObject | undefined = undefined,
>({ answer, ...text }: ReadRouteText<Params, Query>): ReadRoute {
  const { params, query, ...description } = text;
  return {
    ...description,
    ...(params !== undefined && { params }),
    ...(query !== undefined && { query }),
    method: "GET",
    run: async (reading, asked) => {
      const faults: string[] = [];
      const values = {
        params: valuesOf(params, asked.params, faults) as Values<Params>,
        query: valuesOf(query, asked.query, faults) as Values<Query>,
        grant: asked.grant,
        signal: asked.signal,
      };
      if (faults.length > 0) return { outcome: "problem", problem: invalid(faults.join("; ")) };
      return answer(reading, values);
    },
  };
}

export function found(body: unknown): Told {
  return { outcome: "found", body };
}

/** 400: `fault` names the parameter and what it must be. */
export function invalid(fault: string): ProblemDetails {
  return codedProblem(400, { code: "REQUEST_INVALID", message: `${fault}. Nothing was read.` });
}

/** Faults in the order of the schema, each under its name. A route without a schema takes nothing. */
export function valuesOf(
  schema: z.ZodObject | undefined,
  given: unknown,
  faults: string[],
): Readonly<Record<string, unknown>> {
  if (schema === undefined) {
    const names = Object.keys((given ?? {}) as object);
    if (names.length > 0) faults.push(`there is no parameter ${names.join(", ")}`);
    return {};
  }
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  for (const { path, message } of parsed.error.issues) {
    faults.push(path.length === 0 ? message : `${path.map(String).join(".")}: ${message}`);
  }
  return {};
}
