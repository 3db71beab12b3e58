/**
 * Every step of the protocol, with the process killed exactly there. A child process runs the real
 * workers and is ended by SIGKILL at one step of one item; other workers then finish what it left.
 * What is asserted is what the outside world may see: each status once and in order at the
 * marketplace, a journal that explains the actor, no work left anywhere.
 *
 * | step | killed                                                    | what is left, and who finishes it       |
 * |------|-----------------------------------------------------------|-----------------------------------------|
 * |  1   | job taken, before the actor is read                       | the job: stalled, taken again           |
 * |  2   | actor read and event decided, before the commit           | the job: stalled, decided again         |
 * |  3   | commit applied, its reply not seen                        | the job finds its events answered       |
 * |  4   | commit seen, before the push workers are woken            | ready lanes: the recovery sweep wakes   |
 * |  5   | push workers woken, before the job is completed           | the job finds its events answered       |
 * |  6   | lane claimed, before the PATCH is sent                    | a begun attempt: read, then sent        |
 * |  7   | PATCH applied by the marketplace, its answer not seen     | a begun attempt: read, found applied    |
 * |  8   | answer seen, before the lane is settled                   | a begun attempt: read, found applied    |
 * |  9   | lane settled, before the push job is completed            | the push job: stalled, finds nothing    |
 * |  10  | due timer read, before its commit                         | the due time: swept again               |
 * |  11  | timer committed, the reply not seen                       | its effect: the recovery sweep wakes    |
 * |  12  | lane of a dead owner given back, before anybody is woken  | a ready lane: the next recovery sweep   |
 * |  13  | upstream cancellation applied, before the lane is settled | a begun attempt: read, answered before  |
 */
import type { Policy } from "../../src/sla/policy.ts";
import type { JournalEntry } from "../../src/core/journal.ts";
import type { Fact } from "../../src/core/clock-fact.ts";
import { describe, expect, inject, test, type TestContext } from "vitest";
import type { OrderItemOptions } from "../../machines/order-item/options.ts";
import type { DeliveryEntry } from "../../src/core/journal.ts";
import type { SandboxOptions } from "../../src/offergrid/sandbox/behaviour.ts";
import { pushReport } from "../../src/offergrid/sandbox/push-report.ts";
import { shardOf } from "../../src/store/keys.ts";
import { claimLanes } from "../../src/store/outbox-store.ts";
import type { StepName } from "../crash/crash-points.ts";
import { type Deployment, openDeployment } from "../crash/deployment.ts";
import { eventually } from "../support/eventually.ts";
import { LIFE_PUSHED, lifeOf, orderEvent } from "../support/order-item-events.ts";
import { QUICK_POLICY } from "../support/quick-policy.ts";

const CHANNEL = "marketplace.default";
const MARKED = "marked";
const OTHER = "bystander";

function clockFactsOf(entry: JournalEntry): readonly Fact[] {
  return entry.kind === "delivery" ? [] : (entry.clocks ?? []);
}

/** The test's own context closes it: tests that run side by side share the global one. */
async function deploy(
  { onTestFinished }: TestContext,
  options: {
    readonly sandbox?: Partial<SandboxOptions>;
    readonly orderItem?: Partial<OrderItemOptions>;
    readonly policy?: Policy;
  } = {},
): Promise<Deployment> {
  const deployment = await openDeployment({ redisUrl: inject("redisUrl"), ...options });
  onTestFinished(deployment.close);
  return deployment;
}

/** Starts a child that dies at the step, lets `work` bring it there, and waits for its death. */
async function killAt(
  deployment: Deployment,
  step: StepName,
  work: () => Promise<unknown>,
): Promise<void> {
  const child = deployment.spawn({ step, itemId: MARKED });
  await child.said("ready");
  await work();
  expect(await child.died()).toContain("reached");
}

async function assertWholeLives(deployment: Deployment): Promise<void> {
  for (const itemId of [MARKED, OTHER]) {
    await deployment.settled(itemId, "active");
    expect(deployment.seen(itemId)).toEqual(LIFE_PUSHED);
    await deployment.assertReplays(itemId);
  }
  expect(pushReport(deployment.sandbox.market.log)).toMatchObject({ duplicates: 0, outOfOrder: 0 });
  await deployment.assertNothingLeft();
}

async function deliveriesOf(deployment: Deployment, itemId: string): Promise<DeliveryEntry[]> {
  const entries = await deployment.journal(itemId);
  return entries.filter((entry) => entry.kind === "delivery");
}

describe.concurrent("a process killed", () => {
  test.for([
    [1, "with the job taken and nothing read", "before-read"],
    [2, "with the event decided and nothing committed", "before-commit"],
    [3, "with the commit applied and its reply unseen", "after-commit"],
    [4, "with the commit seen and nobody woken", "before-wake"],
    [5, "with the push workers woken and the job open", "after-wake"],
    [6, "with the lane claimed and nothing sent", "after-claim"],
    [8, "with the answer seen and nothing settled", "before-settle"],
    [9, "with the lane settled and the push job open", "after-settle"],
  ] as const)("%i: %s loses and doubles nothing", async ([, , at], context) => {
    const deployment = await deploy(context);
    const send = () => deployment.send(...lifeOf(MARKED), ...lifeOf(OTHER));
    await killAt(deployment, at, send);
    await deployment.startHere();
    await assertWholeLives(deployment);
    expect(await deployment.deadLetters()).toEqual([]);
  });

  test("7: with the PATCH applied and its answer unseen reads the item and does not send again", async (context) => {
    const fault = { kind: "slow", match: { itemId: MARKED, status: "scheduled" } } as const;
    const deployment = await deploy(context, { sandbox: { faults: [{ ...fault, times: 1 }] } });
    const child = deployment.spawn();
    await child.said("ready");
    await deployment.send(...lifeOf(MARKED), ...lifeOf(OTHER));
    await eventually(() => expect(deployment.seen(MARKED)).toContain("scheduled"));
    await child.kill();

    await deployment.startHere();
    await assertWholeLives(deployment);
    expect(await deployment.deadLetters()).toEqual([]);
    const scheduled = (await deliveriesOf(deployment, MARKED)).filter(
      ({ status }) => status === "scheduled",
    );
    expect(scheduled).toMatchObject([
      { outcome: "delivered", attempt: 2, answer: "found applied when the item was read" },
    ]);
  });

  test.for([
    [10, "with a due timer read and not committed", "before-timer-commit"],
    [11, "with a timer committed and the reply unseen", "after-timer-commit"],
  ] as const)("%i: %s rings every clock once", async ([, , at], context) => {
    const deployment = await deploy(context, { policy: QUICK_POLICY });
    const send = () =>
      deployment.send(
        orderEvent("order.received", { subject: MARKED, time: new Date().toISOString() }),
      );
    await killAt(deployment, at, send);

    const { notices } = await deployment.startHere();
    await eventually(() => expect(notices.at(-1)?.params["kind"]).toBe("breach"));
    await deployment.settled(MARKED, "pending");
    // What was due before the process was there again is told by its latest alone.
    const facts = (await deployment.journal(MARKED)).flatMap(clockFactsOf);
    const rungs = facts.flatMap((fact) =>
      fact.kind === "rang" ? [...(fact.skipped ?? []), fact.rung] : [],
    );
    expect(rungs).toEqual(["+1ms", "breach"]);
    const told = facts.filter(({ kind }) => kind === "rang");
    expect(await deliveriesOf(deployment, MARKED)).toHaveLength(told.length);
    await deployment.assertReplays(MARKED);
    await deployment.assertNothingLeft();
  });

  test("12: with a dead owner's lane given back and nobody woken leaves it to the next sweep", async (context) => {
    const deployment = await deploy(context);
    const { store } = deployment.engine;
    for (const event of lifeOf(MARKED)) await deployment.apply(event);
    const shard = shardOf(store.layout, MARKED);
    const claim = { now: Date.now(), leaseUntil: Date.now() - 1, owner: "long gone", want: 1 };
    expect(await claimLanes(store, { shard, channel: CHANNEL }, claim)).toHaveLength(1);
    const child = deployment.spawn({ step: "after-recovery", itemId: MARKED });
    expect(await child.died()).toContain("reached");

    await deployment.startHere();
    await deployment.settled(MARKED, "active");
    expect(deployment.seen(MARKED)).toEqual(LIFE_PUSHED);
    await deployment.assertReplays(MARKED);
    await deployment.assertNothingLeft();
  });

  test("13: with an upstream cancellation applied and nothing settled cancels once", async (context) => {
    const race = { kind: "cancel-race", match: { itemId: MARKED, status: "accepted" } } as const;
    const deployment = await deploy(context, {
      sandbox: { transitionChecks: "seed", faults: [race] },
    });
    const [received, accepted] = lifeOf(MARKED);
    if (received === undefined || accepted === undefined) throw new TypeError("no life");
    await killAt(deployment, "after-takeover", () => deployment.send(received, accepted));

    await deployment.startHere();
    await deployment.settled(MARKED, "cancelled");
    expect(deployment.seen(MARKED)).toEqual([]);
    const events = (await deployment.journal(MARKED)).filter(({ kind }) => kind === "event");
    expect(events).toMatchObject([
      { outcome: "applied" },
      { outcome: "applied" },
      { outcome: "applied", event: { type: "order.cancelled" } },
    ]);
    const deliveries = await deliveriesOf(deployment, MARKED);
    expect(deliveries).toMatchObject([{ outcome: "superseded" }]);
    await deployment.assertReplays(MARKED);
    expect(await deployment.deadLetters()).toEqual([]);
    await deployment.assertNothingLeft();
  });
});
