/** `orderwright demo`: the demonstrations (demo.ts, demo-sla.ts) as a command. */
import { Command } from "commander";
import { runSlaDemo } from "./demo-sla.ts";
import { runDemo } from "./demo.ts";
import { print } from "./output.ts";

interface DemoFlags {
  readonly json?: true;
  readonly sla?: true;
}

export function demoCommand(): Command {
  return new Command("demo")
    .description(
      "Send orders through the engine to a sandbox marketplace, and compare what came of them with what should. Needs nothing, leaves nothing behind.",
    )
    .option("--sla", "play a week of SLA clocks instead, on a clock that is turned")
    .option("--json", "print one line of JSON")
    .action(async ({ json, sla }: DemoFlags) => {
      const options = { json: json === true, out: print };
      process.exitCode = sla
        ? await runSlaDemo({ ...options, isColoured: isColourful() })
        : await runDemo(options);
    });
}

/** https://no-color.org: whoever does not want colours says so with any text. */
function isColourful(): boolean {
  const { NO_COLOR = "" } = process.env;
  return process.stdout.isTTY && NO_COLOR === "";
}
