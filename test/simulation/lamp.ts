/**
 * The smallest machine whose life is made of timers: a lamp in a stairwell goes out by itself, and whoever
 * presses its button again keeps it lit. Each visit to a state sets its timer anew.
 */
import { setup } from "xstate";
import { smallDefinition } from "../support/small-machine.ts";

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
      entry: { type: "tell", params: { word: "lit" } },
      after: { 3_000: "dim" },
      on: { "lamp.pressed": { target: "lit", reenter: true }, "lamp.removed": "gone" },
    },
    dim: {
      after: { 2_000: { target: "dark", actions: { type: "tell", params: { word: "dark" } } } },
      on: { "lamp.pressed": "lit", "lamp.removed": "gone" },
    },
    dark: { on: { "lamp.pressed": "lit", "lamp.removed": "gone" } },
    gone: { type: "final" },
  },
});

export const lampDefinition = smallDefinition(
  lampMachine,
  ["lamp.born", "lamp.pressed", "lamp.removed"],
  { id: "lamp", birth: "lamp.born" },
);
