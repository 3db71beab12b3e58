import fc from "fast-check";
import { expect, test } from "vitest";
import { shareOut } from "../../src/engine/share-out.ts";

const lanes = fc.record({ urgent: fc.nat(50), routine: fc.nat(50) });

test("permits go to what is urgent in any shard before they go to what is not", () => {
  const waiting = [
    { urgent: 0, routine: 10 },
    { urgent: 3, routine: 0 },
  ];
  expect(shareOut(4, waiting)).toEqual([1, 3]);
});

test("no shard waits for another's backlog", () => {
  const waiting = [
    { urgent: 0, routine: 100 },
    { urgent: 0, routine: 2 },
  ];
  expect(shareOut(6, waiting)).toEqual([4, 2]);
});

test("every permit that can be used is used, and none is made up", () => {
  fc.assert(
    fc.property(fc.nat(200), fc.array(lanes, { maxLength: 16 }), (permits, waiting) => {
      const shares = shareOut(permits, waiting);
      const all = waiting.map(({ urgent, routine }) => urgent + routine);
      expect(shares.every((share, shard) => share <= (all[shard] ?? 0))).toBe(true);
      const sum = (counts: readonly number[]) => counts.reduce((total, count) => total + count, 0);
      expect(sum(shares)).toBe(Math.min(permits, sum(all)));
    }),
  );
});
