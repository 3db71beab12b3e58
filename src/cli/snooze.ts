/** `orderwright snooze`: a clock is silent to operators for a while. */
import type { Command } from "commander";
import { holdCommand } from "./clock-hold.ts";

export function snoozeCommand(): Command {
  return holdCommand("snooze", {
    action: "snooze",
    description:
      "Hear nothing of a clock until then. Only a lead may snooze it beyond its due time; a breach is recorded in any case.",
    done: "Snoozed",
    silent: "Operators hear nothing of it",
  });
}
