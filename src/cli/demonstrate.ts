/** `orderwright demo`: the demonstration (demo.ts) as a command. */
import { Command } from "commander";
import { runDemo } from "./demo.ts";
import { print } from "./output.ts";

export function demoCommand(): Command {
  return new Command("demo")
    .description(
      "Send orders through the engine to a sandbox marketplace, and compare what came of them with what should. Needs nothing, leaves nothing behind.",
    )
    .option("--json", "print one line of JSON")
    .action(async ({ json }: { readonly json?: true }) => {
      process.exitCode = await runDemo({ json: json === true, out: print });
    });
}
