/** The machines of the deployment under test. */
import { definitions } from "../../machines/registry.ts";
import type { MachineDefinition } from "../core/definition.ts";
import { lampDefinition } from "./lamp.ts";

export const TESTED_DEFINITIONS: readonly MachineDefinition[] = [...definitions(), lampDefinition];
