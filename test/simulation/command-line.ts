/** How the simulator is called, and how a failing run is called again. */
import { parseArgs } from "node:util";
import { type Plant, PLANTS } from "./plants.ts";
import type { RunPlan } from "./plan.ts";
import { type Cut, NOTHING_CUT } from "./shrinking.ts";

export interface Call {
  readonly seed: number;
  readonly runs: number;
  readonly workers: number;
  readonly isJson: boolean;
  readonly isTraced: boolean;
  readonly plantName: string | undefined;
  /** One run alone, perhaps with less in it. */
  readonly only: { readonly seed: number; readonly cut: Cut } | undefined;
}

export const USAGE = `Usage: npm run -s simulate -- [options]
  --seed <n>      the first seed (1); run i has seed + i
  --runs <n>      how many (1000)
  --workers <n>   processes that share the runs (2)
  --json          one line of JSON
  --plant <name>  a bug on purpose: ${Object.keys(PLANTS).join(", ")}
  --only <seed>   this run alone
  --trace         what happened in it, in order
  --drop <what>   what to leave out of it: faults:0,2 items:item-1 sends:3 processes:1
`;

/** Throws a TypeError for a call that means nothing. */
export function readCall(args: readonly string[]): Call {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seed: { type: "string", default: "1" },
      runs: { type: "string", default: "1000" },
      workers: { type: "string", default: "2" },
      json: { type: "boolean", default: false },
      plant: { type: "string" },
      only: { type: "string" },
      trace: { type: "boolean", default: false },
      drop: { type: "string", multiple: true, default: [] },
    },
  });
  if (values.plant !== undefined && plantOf(values.plant) === undefined) {
    throw new TypeError(`There is no plant "${values.plant}".`);
  }
  return {
    seed: wholeNumber("seed", values.seed),
    runs: wholeNumber("runs", values.runs),
    workers: Math.max(1, wholeNumber("workers", values.workers)),
    isJson: values.json,
    isTraced: values.trace,
    plantName: values.plant,
    only:
      values.only === undefined
        ? undefined
        : { seed: wholeNumber("only", values.only), cut: readCut(values.drop) },
  };
}

export function plantOf(name: string | undefined): Plant | undefined {
  return name === undefined ? undefined : PLANTS[name];
}

export function callOf({ seed }: RunPlan, cut: Cut, plantName: string | undefined): string {
  const drops = [
    cut.faults.length > 0 && `faults:${cut.faults.join()}`,
    cut.items.length > 0 && `items:${cut.items.join()}`,
    cut.sends.length > 0 && `sends:${cut.sends.join()}`,
    cut.processes > 0 && `processes:${cut.processes}`,
  ].flatMap((drop) => (drop === false ? [] : [` --drop ${drop}`]));
  const plant = plantName === undefined ? "" : ` --plant ${plantName}`;
  return `npm run -s simulate -- --only ${seed}${plant}${drops.join("")}`;
}

function readCut(drops: readonly string[]): Cut {
  return drops.reduce<Cut>((cut, drop) => {
    const [what = "", list = ""] = drop.split(":");
    const values = list.split(",");
    if (what === "faults" || what === "sends") return { ...cut, [what]: values.map(Number) };
    if (what === "items") return { ...cut, items: values };
    if (what === "processes") return { ...cut, processes: Number(list) };
    throw new TypeError(`--drop ${drop}: nothing of a run is called so.`);
  }, NOTHING_CUT);
}

function wholeNumber(name: string, text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new TypeError(`--${name} takes a whole number, not "${text}".`);
}
