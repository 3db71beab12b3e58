/** Plain text for terminals of 100 columns: tables, wrapped paragraphs, times. Pure. */
const WIDTH = 100;
const GAP = "  ";

/** Columns as wide as their widest cell; the last one is cut at the edge of the terminal. */
export function table(
  headings: readonly string[],
  rows: readonly (readonly string[])[],
  indent = "",
): string {
  const lines = headings.length > 0 ? [headings, ...rows] : rows;
  const widths: number[] = [];
  for (const line of lines) {
    for (const [column, cell] of line.entries()) {
      widths[column] = Math.max(widths[column] ?? 0, cell.length);
    }
  }
  return lines
    .map((line) => line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(GAP))
    .map((line) => cut(indent + line.trimEnd(), WIDTH))
    .join("\n");
}

export function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 1)}…`;
}

/** Breaks at spaces; a longer word, an id say, keeps its own line so that it can be copied. */
export function wrapped(text: string, indent: string): string {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(/\s+/)) {
    if (line !== "" && indent.length + line.length + 1 + word.length > WIDTH) {
      lines.push(indent + line);
      line = word;
    } else {
      line = line === "" ? word : `${line} ${word}`;
    }
  }
  return [...lines, indent + line].join("\n");
}

/** ISO 8601 in UTC to the second: what logs and the marketplace say too. */
export function timeText(at: number): string {
  return new Date(at).toISOString().replace(/\.\d+Z$/, "Z");
}

const UNITS = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["min", 60_000],
  ["s", 1_000],
] as const;

/** "in 3 h", "5 min ago", "now". */
export function relativeText(at: number, now: number): string {
  const distanceMs = Math.abs(at - now);
  const [unit, unitMs] = UNITS.find(([, ms]) => distanceMs >= ms) ?? [undefined, 1];
  if (unit === undefined) return "now";
  const amount = `${Math.floor(distanceMs / unitMs)} ${unit}`;
  return at > now ? `in ${amount}` : `${amount} ago`;
}

/** The two largest units of it: "2 d 4 h", "3 h 20 min", "45 s". */
export function spanText(spanMs: number): string {
  const first = UNITS.findIndex(([, ms]) => spanMs >= ms);
  const [unit, unitMs] = UNITS[first] ?? ["s", 1_000];
  const [smaller, smallerMs] = UNITS[first + 1] ?? ["", Infinity];
  const rest = first < 0 ? 0 : Math.floor((spanMs % unitMs) / smallerMs);
  return `${Math.floor(spanMs / unitMs)} ${unit}${rest > 0 ? ` ${rest} ${smaller}` : ""}`;
}

const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");

/** In UTC, for moments some days away: "Mon 4 Mar 09:00"; with its year when `near` is in another one. */
export function momentText(at: number, near = at): string {
  const date = new Date(at);
  const year = date.getUTCFullYear();
  const isOther = year !== new Date(near).getUTCFullYear();
  const day = `${DAYS[date.getUTCDay()]} ${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]}${isOther ? ` ${year}` : ""}`;
  return `${day} ${date.toISOString().slice(11, 16)}`;
}

export function count(amount: number, noun: string): string {
  return `${amount} ${noun}${amount === 1 ? "" : "s"}`;
}
