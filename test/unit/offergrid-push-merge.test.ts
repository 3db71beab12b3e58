import fc from "fast-check";
import { expect, test } from "vitest";
import { mergePlan, type PendingPush } from "../../src/offergrid/push-merge.ts";
import { ITEM_STATUSES, type StatusUpdate } from "../../src/offergrid/status-update.ts";

const pending = (...updates: StatusUpdate[]): PendingPush[] =>
  updates.map((params, index) => ({ id: `e${index}`, params }));

test("'every' sends the oldest alone", () => {
  const pushes = pending({ status: "accepted" }, { status: "in_progress" });
  expect(mergePlan(pushes, "every")).toEqual({ send: pushes[0], superseded: [] });
});

test("'latest' sends the newest, with the references of those it overtakes", () => {
  const pushes = pending(
    {
      status: "accepted",
      providerNotes: "Old",
      metadata: { workOrderId: "w1", technicianId: "t1" },
    },
    { status: "in_progress", metadata: { technicianId: "t2" } },
    { status: "completed", providerNotes: "Done", metadata: { accountNumber: "a1" } },
  );
  expect(mergePlan(pushes, "latest")).toEqual({
    send: {
      id: "e2",
      params: {
        status: "completed",
        providerNotes: "Done",
        metadata: { workOrderId: "w1", technicianId: "t2", accountNumber: "a1" },
      },
    },
    superseded: ["e0", "e1"],
  });
});

test("'latest' stops at an appointment's date, however much follows it", () => {
  const pushes = pending(
    { status: "accepted" },
    { status: "scheduled", scheduledFor: "2026-03-02T09:00:00Z" },
    { status: "in_progress" },
  );
  expect(mergePlan(pushes, "latest")).toEqual({ send: pushes[1], superseded: ["e0"] });
});

test("nothing pending is nothing to send", () => {
  expect(mergePlan([], "latest")).toBe(undefined);
});

const update = fc.record(
  {
    status: fc.constantFrom(...ITEM_STATUSES),
    scheduledFor: fc.constant("2026-03-02T09:00:00Z"),
    metadata: fc.dictionary(fc.constantFrom("a", "b", "__proto__"), fc.string()),
  },
  { requiredKeys: ["status"] },
);

test("draining a queue keeps the order, loses no reference and skips nothing said once", () => {
  fc.assert(
    fc.property(
      fc.array(update, { maxLength: 12 }),
      fc.constantFrom("every" as const, "latest" as const),
      (updates, policy) => {
        const queue = pending(...updates);
        let rest = queue;
        const settled: string[] = [];
        for (let plan = mergePlan(rest, policy); plan; plan = mergePlan(rest, policy)) {
          const head = rest.slice(0, plan.superseded.length + 1);
          expect([...plan.superseded, plan.send.id]).toEqual(head.map(({ id }) => id));
          for (const { params } of head.slice(0, -1)) {
            expect(params.scheduledFor).toBe(undefined);
            expect(["rejected", "failed", "cancelled"]).not.toContain(params.status);
          }
          const keys = head.flatMap(({ params }) => Object.keys(params.metadata ?? {}));
          expect(new Set(Object.keys(plan.send.params.metadata ?? {}))).toEqual(new Set(keys));
          settled.push(...plan.superseded, plan.send.id);
          rest = rest.slice(head.length);
        }
        expect(settled).toEqual(queue.map(({ id }) => id));
      },
    ),
  );
});
