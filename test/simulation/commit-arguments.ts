/** The arguments of a commit, as plants read and change them; see lua/commit.lua. */
import type { Argument } from "./redis-server.ts";

export interface ReadCommit {
  readonly item: string;
  readonly opening: string;
  readonly text: string;
  readonly due: string;
  /** Old and new status, time of the decision, order, attention. */
  readonly middle: readonly string[];
  readonly marks: readonly (readonly [mark: string, answer: string])[];
  /** All that follows the marks, as it came. */
  readonly rest: readonly string[];
}

/** SHA or script, number of keys, key, number of actors, life of a mark. */
const HEAD = 5;
const MIDDLE = 5;

/** Widths of the lists that follow the marks. */
const LISTS = [2, 1, 2, 2, 1];

export function readCommits(args: readonly Argument[]): ReadCommit[] {
  const texts = args.map(String);
  let at = HEAD;
  const take = (): string => texts[at++] ?? "";
  const takeMany = (count: number): string[] => texts.slice(at, (at += count));
  return Array.from({ length: Number(texts[HEAD - 2]) }, () => {
    const [item, opening, text, due] = [take(), take(), take(), take()];
    const middle = takeMany(MIDDLE);
    const flat = takeMany(Number(take()) * 2);
    const marks = flat.flatMap((mark, index) =>
      index % 2 === 0 ? [[mark, flat[index + 1] ?? ""] as const] : [],
    );
    const rest = LISTS.flatMap((width) => {
      const count = take();
      return [count, ...takeMany(Number(count) * width)];
    });
    return { item, opening, text, due, middle, marks, rest };
  });
}

export function writeCommits(
  args: readonly Argument[],
  commits: readonly ReadCommit[],
): Argument[] {
  const written = commits.flatMap(({ item, opening, text, due, middle, marks, rest }) => [
    item,
    opening,
    text,
    due,
    ...middle,
    marks.length,
    ...marks.flat(),
    ...rest,
  ]);
  return [...args.slice(0, HEAD), ...written];
}
