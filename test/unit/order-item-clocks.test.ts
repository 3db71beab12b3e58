import { describe, expect, test } from "vitest";
import { getNextTransitions } from "xstate";
import { machineEvent } from "../support/order-item-events.ts";
import { born, inStatus, take, type Walked } from "../support/order-item-walk.ts";

const HOUR_MS = 3_600_000;

/** The timer event of a clock as the engine delivers it: a type and a time, nothing else. */
function ring(item: Walked, clock: string, at: number): Walked {
  const transitions = getNextTransitions(item.snapshot);
  const type = transitions.find(({ eventType }) => eventType.includes(`.${clock}.`))?.eventType;
  if (type === undefined) throw new Error(`No clock ${clock} runs in ${item.status}.`);
  return take(item, { type, at });
}

function scheduledAt(time: string, scheduledFor: string): Walked {
  const event = machineEvent("appointment.scheduled", { time, data: { scheduledFor } });
  return take(inStatus("accepted"), event);
}

describe("a clock", () => {
  test("is set when its status is entered and stopped when it is left", () => {
    const pending = born();
    expect(pending.timersSet).toEqual({
      respondReminder: 4 * HOUR_MS,
      respondBreach: 24 * HOUR_MS,
    });
    const accepted = take(pending, machineEvent("order.accepted"));
    expect(accepted.timersCancelled.toSorted()).toEqual(["respondBreach", "respondReminder"]);
    expect(accepted.timersSet).toEqual({
      contactReminder: 24 * HOUR_MS,
      scheduleReminder: 5 * 24 * HOUR_MS,
    });
    expect(inStatus("in_progress").timersSet).toEqual({ onSiteOverdue: 4 * HOUR_MS });
    expect(inStatus("failed").timersSet).toEqual({ resolutionReminder: 48 * HOUR_MS });
    expect(inStatus("completed").timersSet).toEqual({});
  });

  test("of the first answer is not restarted by a confirmed receipt", () => {
    const submitted = inStatus("submitted_to_provider");
    expect(submitted).toMatchObject({ timersSet: {}, timersCancelled: [] });
    const { bornAt } = submitted.snapshot.context;
    const dueAt = new Date(bornAt + 4 * HOUR_MS).toISOString().replace(".000", "");
    expect(ring(submitted, "respondReminder", bornAt + 5 * HOUR_MS).reminders).toEqual([
      { clock: "respondReminder", status: "submitted_to_provider", dueAt },
    ]);
  });

  test("rings and changes nothing else", () => {
    const accepted = inStatus("accepted");
    const rung = ring(accepted, "contactReminder", accepted.snapshot.context.since + 24 * HOUR_MS);
    expect(rung).toMatchObject({ status: "accepted", pushes: [], timersSet: {} });
    expect(rung.snapshot.context).toEqual(accepted.snapshot.context);
  });

  test("runs as long as the options of the actor say", () => {
    expect(born({ sla: { respondReminderMs: 60_000 } }).timersSet).toMatchObject({
      respondReminder: 60_000,
      respondBreach: 24 * HOUR_MS,
    });
  });
});

describe("the clocks of an appointment", () => {
  const MADE = "2031-03-01T00:00:00Z";

  test("are measured from its date", () => {
    const item = scheduledAt(MADE, "2031-03-03T00:00:00Z");
    expect(item.timersSet).toEqual({
      appointmentReminder: 24 * HOUR_MS,
      appointmentOverdue: 52 * HOUR_MS,
    });
    const at = Date.parse("2031-03-02T00:00:01Z");
    expect(ring(item, "appointmentReminder", at).reminders).toEqual([
      { clock: "appointmentReminder", status: "scheduled", dueAt: "2031-03-02T00:00:00Z" },
    ]);
    expect(ring(item, "appointmentOverdue", at).reminders).toMatchObject([
      { dueAt: "2031-03-03T04:00:00Z" },
    ]);
  });

  test("a new date sets them anew", () => {
    const moved = take(
      scheduledAt(MADE, "2031-03-03T00:00:00Z"),
      machineEvent("appointment.rescheduled", {
        time: MADE,
        data: { scheduledFor: "2031-03-05T00:00:00Z" },
      }),
    );
    expect(moved.timersCancelled.toSorted()).toEqual(["appointmentOverdue", "appointmentReminder"]);
    expect(moved.timersSet).toMatchObject({ appointmentReminder: 72 * HOUR_MS });
  });

  test("nobody is reminded of an appointment made at short notice, or already over", () => {
    const short = scheduledAt(MADE, "2031-03-01T05:00:00Z");
    expect(short.timersSet).toMatchObject({ appointmentReminder: 0 });
    expect(ring(short, "appointmentReminder", Date.parse(MADE)).isTaken).toBe(false);
    const over = scheduledAt(MADE, "2031-03-03T00:00:00Z");
    expect(ring(over, "appointmentReminder", Date.parse("2031-03-04T00:00:00Z")).isTaken).toBe(
      false,
    );
  });

  test("an observed appointment without a date is asked after like one yet to be set", () => {
    const event = machineEvent("appointment.scheduled", {
      derived: true,
      data: { scheduledFor: undefined },
    });
    const item = take(inStatus("accepted"), event);
    expect(item.timersSet).toMatchObject({ appointmentOverdue: (5 * 24 + 4) * HOUR_MS });
    expect(ring(item, "appointmentReminder", event.at).isTaken).toBe(false);
  });
});
