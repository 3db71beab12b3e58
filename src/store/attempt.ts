/** What is remembered of a lane's deliveries: "<attempts> <idle|begun|forgotten> <owner>". */

/** What a lane knows of the deliveries that were begun before. */
export interface Attempt {
  /** Attempts before this one. */
  readonly made: number;
  /** The last one began and nobody knows how it ended: read upstream before sending again. */
  readonly outcomeUnknown: boolean;
  /** Redis may have forgotten deliveries: the marketplace may be further than we know. */
  readonly mayBeForgotten?: true;
}

export function noteOf(attempt: Attempt | undefined): string {
  return attempt === undefined ? "" : encodeAttempt(attempt);
}

export function encodeAttempt({ made, outcomeUnknown }: Attempt): string {
  return `${made} ${outcomeUnknown ? "begun" : "idle"} -`;
}

export function decodeAttempt(text: string): Attempt {
  const [made = "0", state] = text.split(" ");
  const mayBeForgotten = state === "forgotten";
  return {
    made: Number(made),
    outcomeUnknown: state === "begun" || mayBeForgotten,
    ...(mayBeForgotten && { mayBeForgotten }),
  };
}
