import { afterEach, expect, inject, test } from "vitest";
import { collectHistory } from "../../src/chaos/collect-history.ts";
import { checkHistory } from "../../src/history/check.ts";
import type { Notice } from "../../src/engine/notice.ts";
import { policyVersion, putIntoForce, TESTED_POLICIES } from "../../src/chaos/policy-change.ts";
import type { FaultRecord, NoticeRecord, SentEvent } from "../../src/history/history.ts";
import { type Deployment, openDeployment } from "../crash/deployment.ts";
import { eventually } from "../support/eventually.ts";
import { lifeOf, orderEvent } from "../support/order-item-events.ts";

let deployment: Deployment | undefined;
afterEach(async () => {
  await deployment?.close();
  deployment = undefined;
});

type Told = ReturnType<typeof lifeOf>[number] | ReturnType<typeof orderEvent>;

/** Every event twice, the second time from the last to the first, items in turn. */
function scrambled(stories: readonly (readonly Told[])[]): Told[] {
  const longest = Math.max(...stories.map(({ length }) => length));
  const places = Array.from({ length: longest }, (_, index) => index);
  const at = (place: number): Told[] => stories.flatMap((story) => story[place] ?? []);
  const oddFirst = [...places.filter((place) => place % 2 === 1), ...places];
  return [...oddFirst.flatMap(at), ...places.toReversed().flatMap(at)];
}

test("a run with doubled and scrambled events, a cancellation, a breached clock and a lost answer is judged clean", async () => {
  const faults: readonly FaultRecord[] = [
    { kind: "market-500-after", itemId: "i2", from: Date.now(), to: Date.now() + 60_000 },
  ];
  deployment = await openDeployment({
    redisUrl: inject("redisUrl"),
    sandbox: { faults: [{ kind: "500-after", match: { itemId: "i2" }, times: 2 }] },
  });
  const whole = ["i0", "i1", "i2", "i3", "i4"].map(lifeOf);
  const cancelled = [
    ...lifeOf("i5").slice(0, 3),
    orderEvent("order.cancelled", { subject: "i5", source: "crm/desk" }),
  ];
  // Just now, so that its clock is young.
  const unanswered = lifeOf("i6")
    .slice(0, 1)
    .map((event) => ({ ...event, time: new Date().toISOString() }));
  const endings = new Map([
    ...whole.map((_, index) => [`i${index}`, "active"] as const),
    ["i5", "cancelled"],
    ["i6", "pending"],
  ]);
  await putIntoForce(deployment.engine.store, TESTED_POLICIES.first);
  const { notices } = await deployment.startHere();
  const sent = new Map<string, SentEvent>();
  // A cancellation of another source is not numbered with the rest: it is told when they are through.
  const numbered = scrambled([...whole, cancelled.slice(0, 3), unanswered]);
  for (const event of numbered) await send(deployment, sent, event);
  await deployment.settled("i5", "scheduled");
  for (const event of cancelled.slice(3)) await send(deployment, sent, event);
  for (const [itemId, status] of endings) await deployment.settled(itemId, status);
  const { journal } = deployment;
  await eventually(async () => {
    const entries = await journal("i6");
    const facts = entries.flatMap((entry) => (entry.kind === "clocks" ? entry.clocks : []));
    const isTold = facts.some((fact) => fact.kind === "rang" && fact.rung === "breach");
    if (!isTold) throw new Error("the clock has not rung");
  });
  await deployment.settled("i6", "pending");
  await deployment.assertNothingLeft();

  const { engine, machines, queue, sandbox } = deployment;
  const history = await collectHistory({
    store: engine.store,
    machines,
    itemIds: [...endings.keys()],
    crmEvents: queue,
    requests: sandbox.market.log,
    sent: [...sent.values()],
    faults,
    notices: notices.map(heardNow),
    policyVersion: await policyVersion(engine.store),
    endedAt: Date.now(),
    clockSkewMs: 0,
    isEachPushed: true,
    mustEndAs: (itemId) => endings.get(itemId),
  });

  const verdict = checkHistory(history, machines);
  expect(verdict.violations).toEqual([]);
  expect(verdict).toMatchObject({ events: 35, items: 7, applied: 35, lostWithinContract: 0 });
  expect(verdict.pushes).toBe(5 * 5 + 3);
  expect(verdict.clocksRung).toBeGreaterThan(1);
});

function heardNow({ itemId, effect, name, params }: Notice): NoticeRecord {
  const { key } = params;
  return { at: Date.now(), itemId, effect, name, ...(typeof key === "string" && { key }) };
}

async function send(
  { send: enqueue }: Deployment,
  sent: Map<string, SentEvent>,
  event: Told,
): Promise<void> {
  const sentAt = Date.now();
  await enqueue(event);
  const first = { event: event as SentEvent["event"], sentAt, acknowledgedAt: Date.now() };
  if (!sent.has(event.id)) sent.set(event.id, { ...first, mustBe: "applied" });
}
