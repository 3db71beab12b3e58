/** `orderwright ack`: somebody takes care of a late clock, and its repeats are silent for a while. */
import type { Command } from "commander";
import { holdCommand } from "./clock-hold.ts";

export function acknowledgeCommand(): Command {
  return holdCommand("ack", {
    action: "acknowledge",
    description:
      "Say that you take care of a clock: until then its breach is not told again. Reminders, and the breach itself, still are.",
    done: "Acknowledged",
    silent: "Its breach is not told again",
  });
}
