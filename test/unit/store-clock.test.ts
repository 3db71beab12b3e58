import { expect, test, vi } from "vitest";
import { openStoreClock } from "../../src/store/store-clock.ts";

const BASE = 1_764_000_000_000;

/** A Redis whose clock is `ahead` of ours, and answers after `tookMs`. */
function clockOf(state: { elapsed: number; ahead: number; tookMs: number }) {
  const time = async (): Promise<[number, number]> => {
    state.elapsed += state.tookMs / 2;
    const there = BASE + state.elapsed + state.ahead;
    state.elapsed += state.tookMs / 2;
    return [Math.floor(there / 1_000), Math.round((there % 1_000) * 1_000)];
  };
  return openStoreClock({ time }, () => state.elapsed);
}

test("a process goes by Redis' clock, whatever its own says", async () => {
  vi.useFakeTimers();
  try {
    const state = { elapsed: 1_000, ahead: 3_600_000, tookMs: 10 };
    const clock = await clockOf(state);
    expect(clock.now()).toBe(BASE + state.elapsed + 3_600_000);
    state.elapsed += 500;
    expect(clock.now()).toBe(BASE + state.elapsed + 3_600_000);
    state.ahead = -5_000;
    await vi.advanceTimersByTimeAsync(2_000);
    expect(clock.now()).toBe(BASE + state.elapsed - 5_000);
    clock.close();
  } finally {
    vi.useRealTimers();
  }
});

test("a slow look corrects no more than it proves", async () => {
  vi.useFakeTimers();
  try {
    const state = { elapsed: 0, ahead: 0, tookMs: 10 };
    const clock = await clockOf(state);
    state.tookMs = 4_000;
    state.ahead = 300;
    await vi.advanceTimersByTimeAsync(2_000);
    expect(clock.now()).toBe(BASE + state.elapsed);
    state.ahead = 60_000;
    await vi.advanceTimersByTimeAsync(2_000);
    expect(clock.now()).toBe(BASE + state.elapsed + 60_000);
    clock.close();
  } finally {
    vi.useRealTimers();
  }
});
