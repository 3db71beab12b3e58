/** The door of an installation in which no API key was ever made: this machine may do everything. */
import type { DoorKeys } from "../../src/http/access.ts";

export const OPEN_DOOR: DoorKeys = {
  hasKeys: async () => false,
  check: async () => ({ standing: "unknown" }),
  permit: async () => ({ outcome: "granted" }),
};
