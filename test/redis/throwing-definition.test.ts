import { expect, inject, onTestFinished, test } from "vitest";
import { createMachine } from "xstate";
import { listDeadLetters } from "../../src/store/dead-letter-store.ts";
import { startHarness } from "../support/engine-harness.ts";
import { eventually } from "../support/eventually.ts";
import { smallDefinition } from "../support/small-machine.ts";

function fact(type: string, subject: string, id: string) {
  return { specversion: "1.0", id, source: "crm/a", type, subject, data: {} };
}

test("a definition that throws makes a dead letter of its event, and the other items go on", async () => {
  const machine = createMachine({ initial: "a", states: { a: { on: { go: "b" } }, b: {} } });
  const definition = smallDefinition(machine, ["go"], {
    refuse: ({ id }) => {
      if (id === "bad") throw new TypeError("nothing here");
      return undefined;
    },
  });
  const harness = await startHarness({
    redisUrl: inject("redisUrl"),
    definitions: [definition],
  });
  onTestFinished(harness.stop);
  const stateOf = async (itemId: string) => (await harness.actor(itemId))?.snapshot?.value;

  await harness.send(fact("born", "sick", "1"), fact("born", "well", "2"));
  await eventually(async () => expect(await stateOf("well")).toBe("a"));
  await harness.send(fact("go", "sick", "bad"), fact("go", "well", "3"));

  await eventually(async () => expect(await stateOf("well")).toBe("b"));
  await eventually(async () =>
    expect(await listDeadLetters(harness.engine.store, 10)).toMatchObject([
      { kind: "event", problem: { code: "MACHINE_FAILED" }, event: { id: "bad" } },
    ]),
  );
  expect(await stateOf("sick")).toBe("a");
});
