/** The figures of a real run, compared with what the stories themselves say. */
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import type { EventType } from "../../machines/order-item/events.ts";
import { type FulfilmentQuery, measureFulfilment } from "../../src/engine/measure-fulfilment.ts";
import { runCommand } from "../support/command.ts";
import { type Harness, startHarness } from "../support/engine-harness.ts";
import { orderEvent } from "../support/order-item-events.ts";

const HOUR_MS = 3_600_000;
const START_MS = Date.parse("2026-01-30T00:00:00Z");

interface Story {
  readonly account: string;
  readonly offer: string;
  readonly isTest?: true;
  /** Hours after the start at which the order was created. */
  readonly createdAt: number;
  /** Hours after its creation. */
  readonly steps: readonly (readonly [EventType, number])[];
  readonly ends: string;
}

const LIFE: Story["steps"] = [
  ["order.accepted", 2],
  ["appointment.scheduled", 26],
  ["work.started", 98],
  ["work.completed", 100],
  ["service.activated", 101],
];

const LIVES: readonly Pick<Story, "steps" | "ends">[] = [
  { steps: LIFE, ends: "active" },
  { steps: [["order.rejected", 30]], ends: "rejected" },
  { steps: [...LIFE.slice(0, 3), ["service.activated", 150]], ends: "active" },
  { steps: LIFE.slice(0, 2), ends: "scheduled" },
  { steps: [...LIFE.slice(0, 3), ["work.failed", 99]], ends: "failed" },
  { steps: [], ends: "pending" },
];

/** Twelve orders, twelve hours apart: the turn of the month is in the middle. */
const STORIES: readonly Story[] = LIVES.flatMap(({ steps, ends }, index) =>
  ["off-a", "off-b"].map((offer, second) => ({
    account: "default",
    offer,
    createdAt: 12 * (2 * index + second),
    steps: steps.map(([type, at]) => [type, at + second] as const),
    ends,
  })),
);

const TEST_STORY: Story = {
  account: "default",
  offer: "off-a",
  isTest: true,
  createdAt: 0,
  steps: [["order.rejected", 1]],
  ends: "rejected",
};

let engine: Harness;

beforeAll(async () => {
  engine = await startHarness({ redisUrl: inject("redisUrl") });
  const all = [...STORIES, TEST_STORY];
  for (const [index, story] of all.entries())
    await engine.send(...eventsOf(`item-${index}`, story));
  await Promise.all(all.map(({ ends }, index) => engine.settled(`item-${index}`, ends)));
});

afterAll(() => engine.stop());

function eventsOf(subject: string, { account, offer, isTest, createdAt, steps }: Story) {
  const time = (hours: number): string =>
    new Date(START_MS + (createdAt + hours) * HOUR_MS).toISOString();
  const metadata = { test: isTest === true };
  const data = { account, offerId: offer, createdAt: time(0), metadata };
  return [
    orderEvent("order.received", { subject, time: time(0), data }),
    ...steps.map(([type, at]) => orderEvent(type, { subject, time: time(at) })),
  ];
}

async function measure(query: Partial<FulfilmentQuery> = {}) {
  const window = { since: -Infinity, until: Infinity };
  const whole = { window, by: [], zone: "UTC", ...query };
  return measureFulfilment(engine.engine, whole, { now: engine.engine.now });
}

/** From the stories alone, by other means than the product's. */
function expectedOf(stories: readonly Story[]) {
  const hoursTo = (type: EventType): number[] =>
    stories.flatMap(({ steps }) => steps.filter(([each]) => each === type).map(([, at]) => at));
  const answers = [...hoursTo("order.accepted"), ...hoursTo("order.rejected")];
  const fulfilled = stories.flatMap(({ steps }) => {
    const at = (type: EventType): number => steps.find(([each]) => each === type)?.[1] ?? Infinity;
    const end = Math.min(at("work.completed"), at("service.activated"));
    return end === Infinity ? [] : [(end - at("order.accepted")) / 24];
  });
  const ending = (status: string): number => stories.filter(({ ends }) => ends === status).length;
  const meanOf = (numbers: readonly number[]): number =>
    numbers.reduce((sum, each) => sum + each, 0) / numbers.length;
  return {
    received: stories.length,
    acceptance: {
      accepted: hoursTo("order.accepted").length,
      rejected: ending("rejected"),
      undecided: ending("pending"),
      withdrawn: 0,
      rate: hoursTo("order.accepted").length / answers.length,
    },
    timeToAccept: { meanMs: meanOf(hoursTo("order.accepted")) * HOUR_MS },
    timeToRespond: { n: answers.length, meanMs: meanOf(answers) * HOUR_MS },
    completion: {
      completed: ending("active"),
      failed: ending("failed"),
      open: ending("scheduled"),
      rate: ending("active") / (ending("active") + ending("failed")),
    },
    fulfilmentTime: { n: fulfilled.length, meanDays: meanOf(fulfilled) },
  };
}

describe("the figures of a real run", () => {
  test("are those that the stories tell, without the test order", async () => {
    const { total, testItems, unreadableItems } = await measure();
    expect({ testItems, unreadableItems }).toEqual({ testItems: 1, unreadableItems: 0 });
    expect(total).toMatchObject(expectedOf(STORIES));
    const pushed = STORIES.map((_, index) => engine.seen(`item-${index}`)).flat();
    expect(total.pushLag.n).toBe(pushed.length);
  });

  test("are each offer's own when grouped by offer", async () => {
    const { groups } = await measure({ by: ["offer"] });
    expect(groups).toMatchObject(
      ["off-a", "off-b"].map((offer) => ({
        key: { offer },
        figures: expectedOf(STORIES.filter((story) => story.offer === offer)),
      })),
    );
  });

  test("fall into the months in which they happened, in the zone that was asked for", async () => {
    const received = async (zone: string): Promise<Record<string, number>> => {
      const { groups } = await measure({ by: ["month"], zone });
      return Object.fromEntries(
        groups.map(({ key, figures }) => [key.month ?? "", figures.received]),
      );
    };
    const created = STORIES.map(({ createdAt }) => createdAt);
    const before = (hours: number): number => created.filter((at) => at < hours).length;
    expect(await received("UTC")).toMatchObject({
      "2026-01": before(48),
      "2026-02": 12 - before(48),
    });
    expect(await received("America/Los_Angeles")).toMatchObject({
      "2026-01": before(56),
      "2026-02": 12 - before(56),
    });
  });

  test("are of no item when the account has none", async () => {
    const { total } = await measure({ account: "north" });
    expect(total).toMatchObject({ received: 0, acceptance: { rate: null } });
  });
});

test("the command prints the same as JSON, and a table with what misses its target", async () => {
  const env = {
    REDIS_URL: inject("redisUrl"),
    ORDERWRIGHT_KEY_PREFIX: engine.config.keyPrefix,
    ORDERWRIGHT_QUEUE_PREFIX: engine.config.queuePrefix,
  };
  const json = await runCommand(["metrics", "--json", "--by", "offer"], env);
  expect(json).toMatchObject({ exitCode: 0, stderr: "" });
  const told: unknown = JSON.parse(json.stdout);
  expect(told).toMatchObject({ since: null, until: null, ...(await measure({ by: ["offer"] })) });
  const text = await runCommand(["metrics", "--since", "2026-01-01"], env);
  expect(text.stdout).toMatch(/^Acceptance rate +80 % +10 +> 85 % +MISSED$/m);
  expect(text.stdout).toContain("Left out: 1 test item.");
  const wrong = await runCommand(["metrics", "--since", "soon"], env);
  expect(wrong).toMatchObject({ exitCode: 1, stdout: "" });
  expect(wrong.stderr).toContain('"soon" is no date');
});

test("an item that moves to a list that was read already is counted, once", async () => {
  const { store, machines } = engine.engine;
  const failed = STORIES.findIndex(({ ends }) => ends === "failed");
  const subject = `item-${failed}`;
  const move = async (): Promise<void> => {
    await engine.send(orderEvent("appointment.rescheduled", { subject, source: "crm/other" }));
    await engine.settled(subject, "scheduled");
  };
  let moving: Promise<void> | undefined;
  // The failed ones are listed last: by then the scheduled ones have been read.
  const redis = Object.create(store.redis) as typeof store.redis;
  const list = async (
    ...asked: Parameters<typeof store.redis.zrangebyscore>
  ): Promise<string[]> => {
    if (asked[0].endsWith("status:failed")) await (moving ??= move());
    return store.redis.zrangebyscore(...asked);
  };
  Object.defineProperty(redis, "zrangebyscore", { value: list });
  const query = { window: { since: -Infinity, until: Infinity }, by: [], zone: "UTC" };
  const options = { now: engine.engine.now };
  const before = await measure();
  const { total } = await measureFulfilment(
    { store: { ...store, redis }, machines },
    query,
    options,
  );
  expect(total.received).toBe(STORIES.length);
  expect(total.completion).toMatchObject({
    failed: before.total.completion.failed - 1,
    open: before.total.completion.open + 1,
  });
});
