/** What is shown of a record to whoever may not see what it tells about people. */
import { expect, test } from "vitest";
import { definitions } from "../../machines/registry.ts";
import { registerMachines } from "../../src/core/machine.ts";
import { paramsWithoutPersonalData, withoutPersonalData } from "../../src/core/personal-data.ts";
import { orderEvent } from "../support/order-item-events.ts";

const MACHINES = registerMachines(definitions());

/** Some author never thought of people. */
const UNDECLARED = registerMachines(
  definitions().map(({ personal: _personal, ...definition }) => definition),
);

function shown(value: unknown, machines = MACHINES): unknown {
  return withoutPersonalData(machines, value);
}

test("of an event, names and types stay, and of its data what the machine calls harmless", () => {
  const event = orderEvent("order.received", { data: { notes: "Ring twice", metadata: { a: 1 } } });
  expect(shown({ event })).toEqual({
    event: {
      ...event,
      data: {
        ...event.data,
        customerInfo: { fullName: "[redacted]", email: "[redacted]", phone: "[redacted]" },
        serviceAddress: {
          street: "[redacted]",
          city: "[redacted]",
          state: "[redacted]",
          zipCode: "[redacted]",
          country: "[redacted]",
        },
        notes: "[redacted]",
        metadata: { a: "[redacted]" },
      },
    },
  });
});

test("data that does not fit its schema, or has none, is hidden as a whole", () => {
  const misfit = orderEvent("order.received", { data: { offerName: 4915112345, extra: "Ada" } });
  expect(JSON.stringify(shown({ event: misfit }))).not.toMatch(/Ada|4915112345|order-1/);
  const foreign = { ...misfit, type: "no.such" };
  expect(JSON.stringify(shown({ event: foreign }))).not.toMatch(/Ada|4915112345|order-1/);
});

test("where a machine does not say what is personal, everything from outside is hidden", () => {
  const event = orderEvent("order.received");
  const context = { status: "accepted", visits: 3, isOpen: true, left: null };
  expect(shown({ event, state: { status: "accepted", context } }, UNDECLARED)).toMatchObject({
    event: { id: event.id, data: { orderId: "[redacted]", requiresInstallation: true } },
    state: {
      status: "accepted",
      context: { status: "[redacted]", visits: "[redacted]", isOpen: true, left: null },
    },
  });
});

test.each<[string, unknown, unknown]>([
  [
    "a field that nobody has thought of",
    { secret: "Ada", count: 3 },
    { secret: "[redacted]", count: 3 },
  ],
  ["a container that nobody has thought of", { extra: { n: 49151 } }, { extra: "[redacted]" }],
  [
    "a raw webhook",
    { kind: "unreadable", data: "Ada" },
    { kind: "unreadable", data: "[redacted]" },
  ],
  [
    "an operator's reason",
    { actor: "Ada", action: "skip", reason: "Ada called" },
    { actor: "[redacted]", action: "skip", reason: "[redacted]" },
  ],
  ["the engine's own reason stays", { reason: "unknown-item" }, { reason: "unknown-item" }],
  ["a sentence that may quote", problem("PUSH_REFUSED"), problem("PUSH_REFUSED", "[redacted]")],
  ["a sentence of ours stays", problem("EVENT_STALE"), problem("EVENT_STALE")],
  ["an answer", { answer: "status 422: Ada" }, { answer: "status 422: [redacted]" }],
  ["a plain answer stays", { answer: "status 200" }, { answer: "status 200" }],
  ["an answer of another shape", { answer: "no answer: Ada" }, { answer: "[redacted]" }],
])("%s", (_what, value, expected) => {
  expect(shown(value)).toEqual(expected);
});

function problem(code: string, message = "about Ada"): unknown {
  return { problem: { code, message } };
}

test("a notice of a clock is logged as it is, one with a person's words without them", () => {
  const notify = { name: "notify", params: { text: 'Item i is "accepted"', to: ["owner"] } };
  expect(paramsWithoutPersonalData(MACHINES, notify)).toEqual(notify.params);
  const asked = { task: "stopWork", cancelledBy: "Ada", providerNotes: "Ada moved" };
  expect(paramsWithoutPersonalData(MACHINES, { name: "askOperator", params: asked })).toEqual({
    task: "stopWork",
    cancelledBy: "[redacted]",
    providerNotes: "[redacted]",
  });
});

test("every machine that is delivered says what is personal", () => {
  expect(MACHINES.all.filter(({ personal }) => personal === undefined)).toEqual([]);
});
