/** A text of somebody else's within a sentence of ours: what would break the line, or a terminal, is shown as "?". */
export function oneLine(text: string): string {
  return text.replace(/\p{Cc}/gu, "?");
}
