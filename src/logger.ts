/**
 * The log: one JSON line per fact, on stderr, because stdout is for the output of commands.
 * A line is written before the call returns, so a crash loses none; what happens for every event is
 * therefore logged at debug. API keys are removed on the way out, whoever logs them.
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
      redact: SECRET_DEPTHS.flatMap((depth) => SECRET_FIELDS.map((field) => pathOf(depth, field))),
    },
    stream,
  );
}

function pathOf(depth: string, field: string): string {
  return depth === "" || field.startsWith("[") ? `${depth}${field}` : `${depth}.${field}`;
}
