/**
 * The smallest machine whose life is made of timers of its own: a lamp in a stairwell goes out by itself,
 * and whoever presses its button again keeps it lit. Each visit to a state sets its timer anew.
 */
import { setup } from "xstate";
import { z } from "zod";
import type { MachineDefinition } from "../core/definition.ts";

const anything = z.record(z.string(), z.unknown());

const lampMachine = setup({
  types: {} as {
    events: { readonly type: "lamp.pressed" } | { readonly type: "lamp.removed" };
  },
  actions: { tell: () => undefined },
}).createMachine({
  id: "lamp",
  initial: "lit",
  states: {
    lit: {
      meta: { status: "lit" },
      entry: { type: "tell", params: { word: "lit" } },
      after: { 3_000: "dim" },
      on: { "lamp.pressed": { target: "lit", reenter: true }, "lamp.removed": "gone" },
    },
    dim: {
      meta: { status: "dim" },
      after: { 2_000: { target: "dark", actions: { type: "tell", params: { word: "dark" } } } },
      on: { "lamp.pressed": "lit", "lamp.removed": "gone" },
    },
    dark: { meta: { status: "dark" }, on: { "lamp.pressed": "lit", "lamp.removed": "gone" } },
    gone: { type: "final", meta: { status: "gone" } },
  },
});

export const lampDefinition: MachineDefinition = {
  id: "lamp",
  version: "1",
  machine: lampMachine,
  birth: "lamp.born",
  events: { "lamp.born": anything, "lamp.pressed": anything, "lamp.removed": anything },
  effects: { tell: { params: anything, channel: "operator" } },
  context: anything,
  input: () => ({}),
  attributes: () => ({ account: "default" }),
  status: (value) => (typeof value === "string" ? value : JSON.stringify(value)),
};
