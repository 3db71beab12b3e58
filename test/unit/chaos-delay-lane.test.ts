import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { delayLane } from "../../src/chaos/delay-lane.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("what came first is delivered first, also when the delay shrinks in between", () => {
  let delayMs = 100;
  const delivered: string[] = [];
  const lane = delayLane<string>(
    () => delayMs,
    (thing) => delivered.push(thing),
  );
  lane.send("a");
  vi.advanceTimersByTime(40);
  lane.send("b");
  delayMs = 0;
  lane.send("c");
  vi.advanceTimersByTime(59);
  expect(delivered).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(delivered).toEqual(["a"]);
  vi.advanceTimersByTime(40);
  expect(delivered).toEqual(["a", "b", "c"]);
  lane.send("d");
  expect(delivered).toEqual(["a", "b", "c", "d"]);
});

test("what was cleared is never delivered", () => {
  const delivered: string[] = [];
  const lane = delayLane<string>(
    () => 10,
    (thing) => delivered.push(thing),
  );
  lane.send("a");
  lane.clear();
  vi.advanceTimersByTime(100);
  lane.send("b");
  vi.advanceTimersByTime(10);
  expect(delivered).toEqual(["b"]);
});
