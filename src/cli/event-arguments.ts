/** From the words of a command line to an event: what was typed, and what follows from it. Pure. */
import type { ErrorCode, Problem } from "../core/errors.ts";
import { InvalidArgumentError } from "commander";
import type { EventSchemas } from "../queue/producer.ts";

export interface EventFlags {
  readonly note?: string;
  readonly order?: string;
  readonly scheduledFor?: string;
  /** "key=value" each. */
  readonly meta?: readonly string[];
  readonly id?: string;
  readonly source: string;
  readonly time?: string;
  readonly sequence?: string;
  readonly account?: string;
}

export interface EventArguments {
  readonly type: string;
  readonly item: string;
  /** JSON text of --data. */
  readonly dataText?: string;
  readonly flags: EventFlags;
}

/** What every event needs and a person does not type. Its time is left out: the engine then takes the
 * moment at which it was sent. */
export interface EventDefaults {
  readonly id: string;
  readonly source: string;
}

type Fields = Readonly<Record<string, unknown>>;

/** Fields that hold what a person would call the note, whichever the event type has. */
const NOTE_FIELDS = ["providerNotes", "reason", "notes"] as const;

/** @throws InvalidArgumentError when --data or --meta cannot be read */
export function eventFrom(
  { type, item, dataText, flags }: EventArguments,
  schemas: EventSchemas,
  defaults: EventDefaults,
): Fields {
  const { id = defaults.id, source, time, sequence, account } = flags;
  const data = dataText === undefined ? {} : dataFrom(dataText);
  return withoutAbsent({
    specversion: "1.0",
    id,
    source,
    type,
    subject: item,
    time,
    sequence,
    account,
    data: { ...data, ...dataOfFlags(flags, fieldsOf(schemas, type), data) },
  });
}

function dataOfFlags(
  { note, order, scheduledFor, meta = [], account }: EventFlags,
  known: ReadonlySet<string>,
  data: Fields,
): Fields {
  const noteField = NOTE_FIELDS.find((field) => known.has(field)) ?? "providerNotes";
  const metadata = { ...(data["metadata"] as Fields | undefined), ...metadataFrom(meta) };
  return withoutAbsent({
    // The first event says to which account the item belongs, and its data is where that is read.
    account: known.has("account") ? account : undefined,
    orderId: order,
    [noteField]: note,
    scheduledFor,
    metadata: Object.keys(metadata).length > 0 ? metadata : undefined,
  });
}

function withoutAbsent(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

const FLAGS_BY_FIELD: Readonly<Record<string, string>> = {
  "data.providerNotes": "--note TEXT",
  "data.reason": "--note TEXT",
  "data.orderId": "--order ID",
  "data.scheduledFor": "--scheduled-for TIME",
  "data.metadata": "--meta KEY=VALUE",
};

/** Refusals of a field that was given: naming its flag would not help. */
const MISGIVEN: readonly ErrorCode[] = [
  "SCHEDULE_WEEKDAY_MISMATCH",
  "SCHEDULE_DATE_NAIVE",
  "SCHEDULE_DATE_PAST",
];

/** The flags that give the fields which a refusal names. */
export function hintsFor({ code, message }: Problem): string[] {
  if (MISGIVEN.includes(code)) return [];
  const flags = Object.entries(FLAGS_BY_FIELD)
    .filter(([field]) => message.includes(`${field}:`))
    .map(([, flag]) => flag);
  return flags.length === 0 ? [] : [`Give it with ${flags.join(" and ")}.`];
}

/** One event of a file: what its line leaves out is filled in. `undefined` when it is no JSON object. */
export function completedEvent(line: string, defaults: EventDefaults): Fields | undefined {
  const written = objectFrom(line);
  return written && { specversion: "1.0", ...defaults, ...written };
}

function dataFrom(text: string): Fields {
  const data = objectFrom(text);
  if (data !== undefined) return data;
  throw new InvalidArgumentError(
    `--data is no JSON object: ${text.slice(0, 80)}\nWrite '{"orderId":"ORDER-1"}' in quotes that your shell keeps, or put it into a file and give --data @file.json.`,
  );
}

function objectFrom(text: string): Fields | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  return isObject ? (value as Fields) : undefined;
}

function metadataFrom(pairs: readonly string[]): Fields {
  return Object.fromEntries(
    pairs.map((pair) => {
      const equals = pair.indexOf("=");
      if (equals > 0) return [pair.slice(0, equals), pair.slice(equals + 1)];
      throw new InvalidArgumentError(`--meta takes key=value, and not "${pair}".`);
    }),
  );
}

function fieldsOf(schemas: EventSchemas, type: string): ReadonlySet<string> {
  const schema: unknown = Object.hasOwn(schemas, type) ? schemas[type] : undefined;
  const shape: unknown =
    typeof schema === "object" && schema !== null && "shape" in schema ? schema.shape : undefined;
  return new Set(typeof shape === "object" && shape !== null ? Object.keys(shape) : []);
}
