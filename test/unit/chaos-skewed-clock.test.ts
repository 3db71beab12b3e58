import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { skewArguments } from "../../src/chaos/skewed-clock.ts";

const HOUR_MS = 3_600_000;

interface Seen {
  readonly now: number;
  readonly built: number;
  readonly called: number;
  readonly given: string;
  readonly isDate: boolean;
  readonly timerMs: number;
}

const SCRIPT = `
const begun = process.hrtime.bigint();
setTimeout(() => console.log(JSON.stringify({
  now: Date.now(),
  built: new Date().getTime(),
  called: Date.parse(Date()),
  given: new Date(0).toISOString() + new Date(Date.UTC(2026, 1, 3)).toISOString(),
  isDate: new Date() instanceof Date && fs.statSync(".").mtime instanceof Date,
  timerMs: Number(process.hrtime.bigint() - begun) / 1e6,
})), 20);`;

test.each([3 * HOUR_MS, -HOUR_MS])("a child lives %d ms away from here", (skewMs) => {
  const { nodeArguments, env } = skewArguments(skewMs);
  const begunAt = Date.now();
  const output = execFileSync(process.execPath, [...nodeArguments, "-e", SCRIPT], {
    env: { ...process.env, ...env },
    encoding: "utf8",
  });
  const endedAt = Date.now();
  const seen = JSON.parse(output) as Seen;
  for (const time of [seen.now, seen.built]) {
    expect(time - skewMs).toBeGreaterThanOrEqual(begunAt);
    expect(time - skewMs).toBeLessThanOrEqual(endedAt);
  }
  // Without milliseconds.
  expect(Math.abs(seen.called - seen.now)).toBeLessThan(1001);
  expect(seen.given).toBe("1970-01-01T00:00:00.000Z2026-02-03T00:00:00.000Z");
  expect(seen.isDate).toBe(true);
  expect(seen.timerMs).toBeGreaterThan(15);
  expect(seen.timerMs).toBeLessThan(HOUR_MS);
});
