/**
 * The log: one JSON line per fact, on stderr, because stdout is for the output of commands.
 * A line is written before the call returns, so a crash loses none; what happens for every event is
 * therefore logged at debug. API keys are removed on the way out, whoever logs them.
 *
 * Always true: of an error only what names it is written. Clients hang what they were sending onto their
 * errors (Redis' a whole commit, Node's HTTP server a request), and that is data of people.
 */
import { type DestinationStream, destination, type Logger, pino, stdTimeFunctions } from "pino";
import type { Config } from "./config.ts";

export type { Logger };

const STDERR = 2;

/** Fields that hold an API key or another credential, as objects are logged: bare, in `config` or in
 * an account's or a request's own object. */
const SECRET_FIELDS = ["apiKey", '["x-api-key"]', "authorization", "password"];
const SECRET_DEPTHS = ["", "*", "*.*", "*.*.*"];

export function createLogger(
  level: Config["logLevel"],
  stream: DestinationStream = destination({ dest: STDERR, sync: true }),
): Logger {
  return pino(
    {
      level,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: shownError },
      redact: SECRET_DEPTHS.flatMap((depth) => SECRET_FIELDS.map((field) => pathOf(depth, field))),
    },
    stream,
  );
}

interface ShownError {
  readonly type: string;
  readonly message: string;
  readonly code?: string | number;
  /** Where it was thrown, without the message that V8 puts in front. */
  readonly stack?: string;
  readonly cause?: ShownError;
}

/** Causes of causes that are shown. */
const CAUSES_MAX = 5;

function shownError(error: unknown, depth = 0): ShownError {
  if (!(error instanceof Error)) return { type: typeof error, message: "(not an error)" };
  const code: unknown = "code" in error ? error.code : undefined;
  const cause = error instanceof AggregateError ? error.errors[0] : error.cause;
  const frames = error.stack?.split("\n").filter((line) => /^ {4}at /.test(line));
  return {
    type: error.name,
    message: shownMessage(error),
    ...((typeof code === "string" || typeof code === "number") && { code }),
    ...(frames !== undefined && { stack: frames.join("\n") }),
    ...(cause instanceof Error && depth < CAUSES_MAX && { cause: shownError(cause, depth + 1) }),
  };
}

/** V8 quotes the text that is no JSON, and Redis the arguments of a command that it does not know. */
function shownMessage(error: Error): string {
  if (error instanceof SyntaxError) return "(a text that cannot be parsed)";
  return error.message.replace(/, with args beginning with:[\s\S]*$/, "");
}

function pathOf(depth: string, field: string): string {
  return depth === "" || field.startsWith("[") ? `${depth}${field}` : `${depth}.${field}`;
}
