/**
 * What the demonstration's week must bring about, worked out by hand from the provider's promises and the
 * office's hours; "26 14:10" is the 26th of May 2026 in New York. Each list is whole: what else is seen is
 * a fault.
 *
 * Open are Monday to Friday 9-12 and 13-18, Saturday 9-13; Memorial Day, the 25th, is closed.
 */

/** Who is told what, and when. */
export const TOLD: readonly string[] = [
  // Two of four open hours on Friday, the third on Saturday.
  "22 18:00 fiber-1: respond 50% → owner",
  "23 10:00 fiber-1: respond 75% → owner, lead",
  // By the wall before Wednesday 10:00, on a holiday too.
  "25 10:00 tv-2: appointment -48h → customer",
  "26 10:00 tv-2: appointment -24h → customer",
  // 2:40 on Saturday and 1:20 on Tuesday; that the clock stood still then is told later.
  "26 10:20 fiber-1: contact 50% → owner",
  "26 11:10 phone-3: respond 50% → owner",
  "26 13:10 phone-3: respond 75% → owner, lead",
  "26 14:10 phone-3: respond breach → owner, lead",
  // Once in two open hours, until it is acknowledged at 17:00: not on the 27th, at 09:10 and 11:10.
  "26 16:10 phone-3: respond breach+2h → lead",
  // The new date begins all reminders anew.
  "27 08:15 tv-2: appointment -48h → customer",
  // The shorter promise: 24 - 18:10 until the appointment - 2 on site leaves less than 4 hours.
  "27 12:10 fiber-1: jeopardy yellow → owner",
  "27 13:00 fiber-1: appointment -24h → customer",
  "28 08:15 tv-2: appointment -24h → customer",
  "28 11:50 fiber-1: install 75% → owner",
  "28 12:30 fiber-1: appointment -30m → customer",
  "28 14:00 fiber-1: arrival breach → owner, lead",
  // Acknowledged at 15:20: not at 16:00 and 17:00.
  "28 15:00 fiber-1: arrival breach+1h → lead",
  // 22 of 24 hours are used, and the work takes 2.
  "28 16:50 fiber-1: jeopardy red → owner, lead",
  "28 17:00 tv-2: install 75% → owner",
  // Due at 07:45, when nobody calls a customer.
  "29 08:00 tv-2: appointment -30m → customer",
  "29 09:50 fiber-1: install breach → owner, lead",
  "29 12:30 fiber-1: appointment -30m → customer",
  "29 14:50 fiber-1: install breach+4h → lead",
];

/** Every due time that a clock gets, and when it gets it. */
export const DUE: readonly string[] = [
  "22 13:30 tv-2: respond due 22 17:30",
  "22 15:00 tv-2: contact due 26 10:00",
  "22 15:00 tv-2: install due 30 10:00",
  "22 16:00 fiber-1: respond due 23 11:00",
  "23 09:40 tv-2: appointment due 27 10:00",
  "23 09:40 tv-2: arrival due 27 11:00",
  "23 10:20 fiber-1: contact due 26 15:20",
  "23 10:20 fiber-1: install due 1 June 10:20",
  "26 09:10 phone-3: respond due 26 14:10",
  // Paused from 9:30 to 14:00: 2:30 before lunch, 1:00 after it.
  "26 14:00 fiber-1: contact due 27 09:50",
  "26 14:00 fiber-1: install due 1 June 14:50",
  "26 15:00 fiber-1: appointment due 28 13:00",
  "26 15:00 fiber-1: arrival due 28 14:00",
  "26 15:30 tv-2: appointment due 29 08:15",
  "26 15:30 tv-2: arrival due 29 09:15",
  // 40 hours become 24.
  "27 12:10 fiber-1: install due 29 09:50",
  "28 17:30 fiber-1: appointment due 29 13:00",
  "28 17:30 fiber-1: arrival due 29 14:00",
];

/** What the marketplace got; a note that nobody wrote is one of a delay. */
export const PATCHED: readonly string[] = [
  "22 15:00 tv-2: accepted",
  "23 09:40 tv-2: scheduled",
  "23 10:20 fiber-1: accepted",
  "26 15:00 fiber-1: scheduled",
  "26 15:30 tv-2: scheduled",
  "27 11:30 phone-3: rejected",
  // The status that it had. The breach on the 29th is less than a day later: no second note.
  "28 14:00 fiber-1: scheduled, delayed: The work was to start by May 28, 2026, 2:00 PM EDT",
  "28 17:30 fiber-1: scheduled",
  "29 08:20 tv-2: in_progress",
  "29 09:40 tv-2: completed",
  "29 13:10 fiber-1: in_progress",
  "29 15:30 fiber-1: completed",
];

/** How every clock ended; used time is open time. */
export const VERDICTS: readonly string[] = [
  "fiber-1: respond met, 3:20 of 4:00, due 23 11:00, ended 23 10:20",
  "fiber-1: contact met, 4:10 of 8:00, due 27 09:50, ended 26 15:00",
  "fiber-1: appointment met, due 28 13:00, ended 28 13:00",
  "fiber-1: appointment met, due 29 13:00, ended 29 13:00",
  "fiber-1: arrival met, due 29 14:00, ended 29 13:10",
  "fiber-1: install missed, 28:40 of 24:00, due 29 09:50, ended 29 15:30",
  "tv-2: respond met, 1:30 of 4:00, due 22 17:30, ended 22 15:00",
  "tv-2: contact met, 3:40 of 8:00, due 26 10:00, ended 23 09:40",
  "tv-2: appointment met, due 29 08:15, ended 29 08:15",
  "tv-2: arrival met, due 29 09:15, ended 29 08:20",
  "tv-2: install met, 31:40 of 40:00, due 30 10:00, ended 29 09:40",
  "phone-3: respond missed, 10:20 of 4:00, due 26 14:10, ended 27 11:30",
];

/** The events that were not applied. */
export const REFUSED: readonly string[] = ["26 13:20 phone-3: CLOCK_HOLD_REFUSED"];

/** Who silenced what, until when. */
export const SILENCED: readonly string[] = [
  "26 17:00 phone-3: respond acknowledged by Lena until 27 12:00",
  "28 15:20 fiber-1: arrival acknowledged by Maya until 29 09:00",
];

/** By the wall: 18:20 from Friday 16:00 to Saturday 10:20; 149:10 from then to Friday 15:30. */
export const FIGURES: readonly string[] = [
  "accepted 2 of 3",
  "median answer after 18:20",
  "completed 2 of 2",
  "median fulfilment after 149:10",
];

/** How each item is when all is over. */
export const ENDED: readonly string[] = [
  "fiber-1: completed, no clock open, the journal gives the stored state",
  "tv-2: completed, no clock open, the journal gives the stored state",
  "phone-3: rejected, no clock open, the journal gives the stored state",
];
