/** The demonstration for a person: a table, a summary, and what to do next. Pure. */
import type { Result, Totals } from "./demo-evidence.ts";

/** Characters of each column; with the gaps between them a line has at most 110. */
const WIDTHS = [26, 24, 27, 22, 3] as const;
const GAP = "  ";

type Row = readonly [string, string, string, string, string];

const HEAD: Row = ["item", "what it shows", "path of statuses", "the marketplace saw", "ok"];

export function tableOf(results: readonly Result[]): string {
  const line = WIDTHS.map((width) => "-".repeat(width)).join(GAP);
  return [...linesOf(HEAD), line, ...results.flatMap((result) => linesOf(rowOf(result)))].join(
    "\n",
  );
}

export function summaryOf(totals: Totals, tookMs: number): string {
  const { items, asExpected, pushes, lost, duplicates, outOfOrder } = totals;
  return [
    `${asExpected} of ${items} items ended as expected, in ${(tookMs / 1_000).toFixed(1)} s.`,
    `The marketplace applied ${pushes} PATCHes: ${lost} lost, ${duplicates} applied twice, ${outOfOrder} items out of order.`,
  ].join("\n");
}

/** One line per fault, under the item that it belongs to. */
export function faultsOf(results: readonly Result[]): string {
  return results
    .filter(({ faults }) => faults.length > 0)
    .flatMap(({ story, faults }) => faults.map((fault) => `${story.itemId}: ${fault}`))
    .join("\n");
}

function rowOf({ story, path, saw, faults }: Result): Row {
  return [
    story.itemId,
    story.shows,
    path.length === 0 ? "(nothing recorded)" : path.join(" → "),
    saw.length === 0 ? "(nothing)" : saw.join(", "),
    faults.length === 0 ? "ok" : "NOT",
  ];
}

function linesOf(row: Row): string[] {
  const cells = row.map((text, column) => wrapped(text, WIDTHS[column] ?? text.length));
  const height = Math.max(...cells.map((lines) => lines.length));
  return Array.from({ length: height }, (_, index) =>
    cells
      .map((lines, column) => (lines[index] ?? "").padEnd(WIDTHS[column] ?? 0))
      .join(GAP)
      .trimEnd(),
  );
}

/** Breaks at spaces, and inside a word only when the word is wider than the column. */
function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ").flatMap((long) => pieces(long, width))) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (longer.length <= width) {
      line = longer;
    } else {
      lines.push(line);
      line = word;
    }
  }
  return [...lines, line];
}

function pieces(word: string, width: number): string[] {
  const count = Math.max(1, Math.ceil(word.length / width));
  return Array.from({ length: count }, (_, index) =>
    word.slice(index * width, (index + 1) * width),
  );
}
