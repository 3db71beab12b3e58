/** Medians, ratios and the table that a person reads. Pure. */
import type { Effects } from "./contestant.ts";
import type { Outcome } from "./measurement.ts";
import type { Fsync } from "./redis-process.ts";

/** All rounds of one contestant under one setting. */
export interface Cell {
  readonly contestant: string;
  readonly fsync: Fsync;
  readonly effects: Effects;
  readonly outcomes: readonly Outcome[];
}

type Right = Extract<Outcome, { outcome: "right" }>;

/** Ours ÷ hand-made in events per second, rounded to 2 decimals. */
export interface Ratios {
  readonly withPatch: Readonly<Record<Fsync, number>>;
  readonly withoutPatch: Readonly<Record<Fsync, number>>;
}

/** @param cells both contestants under every setting, every round right. */
export function ratiosOf(cells: readonly Cell[]): Ratios {
  const ratio = (effects: Effects, fsync: Fsync): number => {
    const speedOf = (contestant: string): number => {
      const cell = cells.find(
        (one) => one.contestant === contestant && one.effects === effects && one.fsync === fsync,
      );
      return cell === undefined ? NaN : medianOf(cell, (run) => run.eventsPerSecond);
    };
    return Math.round((speedOf("orderwright") / speedOf("hand-made")) * 100) / 100;
  };
  return {
    withPatch: {
      everysec: ratio("with-patch", "everysec"),
      always: ratio("with-patch", "always"),
    },
    withoutPatch: {
      everysec: ratio("without-patch", "everysec"),
      always: ratio("without-patch", "always"),
    },
  };
}

export function tableOf(cells: readonly Cell[]): string {
  const rows = cells.map((cell) => [
    cell.effects,
    cell.fsync,
    cell.contestant,
    ...(cell.outcomes.every(({ outcome }) => outcome === "right") ? figuresOf(cell) : ["wrong"]),
  ]);
  const lines = [["PATCH", "fsync", "contestant", "events/s", "CPU-s/10k", "B/item"], ...rows];
  return lines
    .map((line) =>
      line
        .map((text) => text.padEnd(26))
        .join("")
        .trimEnd(),
    )
    .join("\n");
}

function figuresOf(cell: Cell): readonly string[] {
  const cpu = medianOf(cell, (run) => run.cpuSecondsPer10k ?? NaN);
  return [
    medianOf(cell, (run) => run.eventsPerSecond).toFixed(0),
    Number.isNaN(cpu) ? "–" : cpu.toFixed(1),
    medianOf(cell, (run) => run.bytesPerItem).toFixed(0),
  ];
}

function medianOf(cell: Cell, figure: (run: Right) => number): number {
  const values = cell.outcomes
    .filter((outcome): outcome is Right => outcome.outcome === "right")
    .map(figure)
    .sort((a, b) => a - b);
  const upper = values[Math.floor(values.length / 2)] ?? NaN;
  const lower = values[Math.ceil(values.length / 2) - 1] ?? NaN;
  return (lower + upper) / 2;
}
