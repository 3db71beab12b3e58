/**
 * What a note seems to say, by its words. People's sentences are not a format, so each question is
 * answered in the note's favour when in doubt, and notes that are not in English are not judged.
 */
const HOUR_MS = 3_600_000;

const ENGLISH =
  /\b(?:the|is|are|was|has|have|and|for|of|not|we|order|service|accepted|received|failed|customer)\b/iu;

const NEXT =
  /\b(?:will|shall|going to|to be|next|within|until|tomorrow|today|tonight|soon|shortly|expect\w*|awaits|awaiting|pending|please|follow\w*|contact\w*|call\w*|schedul\w*|reschedul\w*|plan\w*|propos\w*|arrang\w*|coordinat\w*|return\w*|retry\w*|try\w*|again|upcoming|then|once|when|before|after|by|in \d+|needs?|must|ready|(?:mon|tues|wednes|thurs|fri|satur|sun)day|\d{4}-\d\d-\d\d|(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)\w* \d+)\b|we'll/iu;

const ALTERNATIVE =
  /\b(?:alternativ\w*|instead|options?|could|can (?:offer|provide|order|try)|suggest\w*|recommend\w*|propos\w*|another|others?|different|nearby|later|reapply|reorder|again|(?<!\bnot |\bcurrently |\byet )available(?! (?:at|in|here|for) ))\b/iu;

/** Notes that only say again what the status says, without their punctuation. */
const EMPTY: ReadonlySet<string> = new Set(
  [
    [
      "fulfil order",
      "fulfill order",
      "fulfil the order",
      "fulfill the order",
      "complete order",
    ].flatMap((what) => [`cannot ${what}`, `can not ${what}`, `cant ${what}`, `unable to ${what}`]),
    ["accepted", "rejected", "scheduled", "in progress", "completed", "active", "cancelled"]
      .concat("canceled", "failed", "received", "submitted", "updated", "noted")
      .flatMap((what) => [what, `order ${what}`, `order is ${what}`, `order has been ${what}`])
      .concat("the order was rejected", "the order was cancelled", "the order was accepted"),
    [
      "installation failed",
      "the installation failed",
      "installation completed",
      "service activated",
    ],
    [
      "service not available",
      "service is not available",
      "status updated",
      "no reason given",
      "tbd",
    ],
  ].flat(),
);

const PROMISE =
  /\bwithin (?:the next |about )?(?:(\d+)(?:\s*(?:-|–|to)\s*(\d+))?|(an?|one|two|three|four|five))\s*(?:business |working )?(hour|hr|day|week)s?\b/giu;

const CONTACT =
  /\b(?:contact\w*|call\w*|reach\w*|hear|in touch|phone\w*|e-?mail\w*|respond\w*|answer\w*)\b/iu;

const NUMBERS: Readonly<Record<string, number>> = { two: 2, three: 3, four: 4, five: 5 };
const UNITS_MS: Readonly<Record<string, number>> = {
  day: 24 * HOUR_MS,
  week: 7 * 24 * HOUR_MS,
};

function isEnglish(note: string): boolean {
  return ENGLISH.test(note);
}

export function saysNothing(note: string): boolean {
  return EMPTY.has(
    note
      .toLowerCase()
      .replaceAll(/[^a-z ]/gu, "")
      .trim(),
  );
}

export function saysWhatIsNext(note: string): boolean {
  return !isEnglish(note) || NEXT.test(note);
}

export function offersAlternative(note: string): boolean {
  return !isEnglish(note) || ALTERNATIVE.test(note);
}

/** Of what a note promises about contact, the longest: its words and how long that is, in ms. */
export function contactPromise(note: string): { words: string; lengthMs: number } | undefined {
  // Nearly every note ends here, for a tenth of the cost.
  if (!/\bwithin\b/iu.test(note)) return undefined;
  const promises = note
    .split(/[.!?;\n]+/u)
    .filter((sentence) => CONTACT.test(sentence))
    .flatMap((sentence) => [...sentence.matchAll(PROMISE)])
    .map(([words, low, high, word = "", unit = ""]) => ({
      words,
      lengthMs: Number(high ?? low ?? NUMBERS[word.toLowerCase()] ?? 1) * lengthOf(unit),
    }));
  return promises.toSorted((one, other) => other.lengthMs - one.lengthMs)[0];
}

function lengthOf(unit: string): number {
  return UNITS_MS[unit.toLowerCase()] ?? HOUR_MS;
}
