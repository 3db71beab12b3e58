/**
 * The `worker` and `api` commands as the deployment under test runs them: with one machine more, because
 * the product's own sets no timers.
 */
import { Command } from "commander";
import { apiCommand } from "../cli/api.ts";
import { workerCommand } from "../cli/worker.ts";
import { TESTED_DEFINITIONS } from "./tested-definitions.ts";

const definitionsOf = () => TESTED_DEFINITIONS;

await new Command("orderwright-under-test")
  .addCommand(workerCommand(definitionsOf))
  .addCommand(apiCommand(definitionsOf))
  .parseAsync();
