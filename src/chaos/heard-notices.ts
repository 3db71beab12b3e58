/** What operators hear: the lines about notices in the logs of the processes under test. */
import type { NoticeRecord } from "../history/history.ts";

/** As workers/main.ts logs a notice that was delivered. */
const NOTICE = '"msg":"operator notice"';

interface LoggedNotice {
  readonly itemId: string;
  readonly effect: string;
  readonly name: string;
  readonly params: { readonly key?: unknown };
}

export class HeardNotices {
  readonly #records: NoticeRecord[] = [];

  /** In the order in which they came. */
  get records(): readonly NoticeRecord[] {
    return this.#records;
  }

  /** @param line of a process's log, with whatever stands before its JSON; `at` in ms */
  hear(line: string, at: number): void {
    if (!line.includes(NOTICE)) return;
    const notice = readNotice(line.slice(line.indexOf("{")));
    if (notice === undefined) return;
    const { itemId, effect, name, params } = notice;
    const { key } = params;
    this.#records.push({ at, itemId, effect, name, ...(typeof key === "string" && { key }) });
  }
}

/** A process that is killed while it writes has not told it. */
function readNotice(text: string): LoggedNotice | undefined {
  try {
    return JSON.parse(text) as LoggedNotice;
  } catch {
    return undefined;
  }
}
