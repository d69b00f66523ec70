/** What programs are indented by. */
export const INDENT = "    ";

/** The line, from 1, that a message names at its beginning: `Line 2: Expected an expression`. */
export function lineOf(message: string | null | undefined): number | null {
  const found = /\bline (\d+)\b/i.exec(message ?? "");
  return found ? Number(found[1]) : null;
}

/** What Enter writes at this place: a line as far in as the one it comes from, further in after a colon. */
export function newLine(text: string, at: number): string {
  const line = text.slice(text.lastIndexOf("\n", at - 1) + 1, at);
  const indent = /^[ \t]*/.exec(line)?.[0] ?? "";
  return `\n${indent}${/:\s*$/.test(line) ? INDENT : ""}`;
}

/** Whole lines that stand in the place of others: `text` in the place of what is between `from` and `to`. */
export type Moved = { from: number; to: number; text: string };

/** The lines that this selection touches, one step further in, or out. */
export function moved(text: string, start: number, end: number, isIn: boolean): Moved {
  const from = text.lastIndexOf("\n", start - 1) + 1;
  const next = text.indexOf("\n", Math.max(start, end - 1));
  const to = next < 0 ? text.length : next;
  const lines = text.slice(from, to).split("\n");
  const out = /^( {1,4}|\t)/;
  return { from, to, text: lines.map((line) => (isIn ? INDENT + line : line.replace(out, ""))).join("\n") };
}
