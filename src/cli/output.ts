/**
 * What commands write: stdout carries their result and nothing else, one JSON document with `--json`,
 * so that it can be piped. Hints and complaints go to stderr.
 */
export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

export function printJson(value: unknown): void {
  print(JSON.stringify(value, undefined, 2));
}

export function complain(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** `… | head` closes the pipe early: the reader has what it wants, which is no fault of ours. */
export function endQuietlyWhenPipeCloses(): void {
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(0);
    throw error;
  });
}
