/**
 * Where messages begin and end in a stream of RESP 2 or 3, without decoding what they carry.
 *
 * A reader is fed the chunks of one direction of one connection, in order, and says for each chunk
 * which messages end in it, and where. A message may span any number of chunks, and a payload is
 * stepped over, never copied, so that reading along costs next to nothing.
 */

export interface Message {
  /** Offset in the chunk just after the last byte of the message. */
  readonly endsAt: number;
  /** First byte of the message: "*" for a command, ">" for a push, "-" and "!" for an error. */
  readonly type: string;
  /** The first bulk strings of the message, cut to 200 characters each; as many as were asked for. */
  readonly words: readonly string[];
}

/** "unreadable" once for all: the stream is not RESP, or it is not at the beginning of a message. */
export type Reading = readonly Message[] | "unreadable";

/** Enough for every name and key; the text of a script is not worth keeping. */
const WORD_CHARACTERS_MAX = 200;
const LINE_FEED = 10;
const LINE_END_BYTES = 2;

interface State {
  /** What has come of a line that is not complete. */
  line: string;
  /** Bytes of the bulk string still to come, its line end included. */
  payloadLeft: number;
  /** Values still to come until the message is complete; 0 between messages. */
  valuesLeft: number;
  type: string;
  word: string;
  words: string[];
}

export function messageReader(wordsKept: number): (chunk: Buffer) => Reading {
  const state: State = { line: "", payloadLeft: 0, valuesLeft: 0, type: "", word: "", words: [] };
  let isReadable = true;
  return (chunk) => {
    const messages: Message[] = [];
    let at = 0;
    while (isReadable && at < chunk.length) {
      if (state.payloadLeft > 0) at = readPayload(state, { chunk, at, wordsKept });
      else {
        at = readLine(state, chunk, at);
        if (state.line.endsWith("\n")) isReadable = takeLine(state, wordsKept);
        // A line that goes on in the next chunk completes nothing.
        else continue;
      }
      if (isReadable && state.valuesLeft === 0) {
        messages.push({ endsAt: at, type: state.type, words: state.words });
        state.words = [];
      }
    }
    return isReadable ? messages : "unreadable";
  };
}

function readLine(state: State, chunk: Buffer, at: number): number {
  const lineFeed = chunk.indexOf(LINE_FEED, at);
  const end = lineFeed === -1 ? chunk.length : lineFeed + 1;
  state.line += chunk.toString("latin1", at, end);
  return end;
}

/** False when no message can go on like this. */
function takeLine(state: State, wordsKept: number): boolean {
  const { line } = state;
  state.line = "";
  const type = line.charAt(0);
  if (state.valuesLeft === 0) {
    state.valuesLeft = 1;
    state.type = type;
  }
  const values = valuesAfter(type, line);
  if (values !== undefined) {
    state.valuesLeft += values;
    return true;
  }
  if (!BULKS.has(type)) return false;
  const bytes = Number(line.slice(1));
  if (!Number.isInteger(bytes)) return false;
  if (bytes < 0) state.valuesLeft -= 1;
  else state.payloadLeft = bytes + LINE_END_BYTES;
  if (bytes < 0 && state.words.length < wordsKept) state.words.push("");
  return true;
}

const SCALARS = new Set(["+", "-", ":", "_", "#", ",", "("]);
const BULKS = new Set(["$", "!", "="]);
/** Values that each announced element of an aggregate stands for. */
const AGGREGATES: ReadonlyMap<string, number> = new Map([
  ["*", 1],
  ["~", 1],
  [">", 1],
  ["%", 2],
  ["|", 2],
]);

/** How many more values are to come after a line than before it; undefined when a payload follows or
 * the line is none of RESP's. */
function valuesAfter(type: string, line: string): number | undefined {
  if (SCALARS.has(type)) return -1;
  const perElement = AGGREGATES.get(type);
  const elements = Number(line.slice(1));
  if (perElement === undefined || !Number.isInteger(elements)) return undefined;
  const values = Math.max(elements, 0) * perElement;
  // An attribute stands before a value and takes no place of its own.
  return type === "|" ? values : values - 1;
}

interface Position {
  readonly chunk: Buffer;
  readonly at: number;
  readonly wordsKept: number;
}

function readPayload(state: State, { chunk, at, wordsKept }: Position): number {
  const end = Math.min(at + state.payloadLeft, chunk.length);
  const isKept = state.words.length < wordsKept;
  if (isKept) {
    const textEnd = Math.min(end, at + state.payloadLeft - LINE_END_BYTES);
    const wanted = at + WORD_CHARACTERS_MAX - state.word.length;
    if (textEnd > at) state.word += chunk.toString("utf8", at, Math.min(textEnd, wanted));
  }
  state.payloadLeft -= end - at;
  if (state.payloadLeft === 0) {
    state.valuesLeft -= 1;
    if (isKept) state.words.push(state.word);
    state.word = "";
  }
  return end;
}
