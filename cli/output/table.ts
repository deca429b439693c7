/** Rows for people: aligned with a heading on a terminal, separated by tabs for programs. */
import type { Shell } from "../shell.ts";
import { paintFor } from "./paint.ts";

export function printRows(
  shell: Pick<Shell, "print" | "isTerminal">,
  headings: readonly string[],
  rows: readonly (readonly string[])[],
): void {
  if (!shell.isTerminal) {
    for (const row of rows) shell.print(`${row.map(withoutControl).join("\t")}\n`);
    return;
  }
  const all = [headings, ...rows].map((row) => row.map(withoutControl));
  const widths = headings.map((_, column) => Math.max(...all.map((row) => (row[column] ?? "").length)));
  const { quiet } = paintFor(true);
  for (const [index, row] of all.entries()) {
    const line = row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join("  ")
      .trimEnd();
    shell.print(`${index === 0 ? quiet(line) : line}\n`);
  }
}

/** Names are other people's text, which must not move a terminal's cursor. */
export function withoutControl(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, " ");
}
