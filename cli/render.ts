import { styleText } from "node:util";
import type { Severity } from "../schema/compatibility.ts";
import type { RuledDifference } from "../schema/rules/rule-book.ts";
import type { Witness } from "../schema/witness.ts";

export type Painter = Record<"good" | "bad" | "careful" | "quiet" | "strong", (text: string) => string>;

/** Colour only on a terminal; pipes and CI logs get plain text. */
export function paintFor(isTerminal: boolean): Painter {
  const paint = (style: Parameters<typeof styleText>[0]) => (text: string) =>
    isTerminal ? styleText(style, text, { validateStream: false }) : text;
  return {
    good: paint("green"),
    bad: paint("red"),
    careful: paint("yellow"),
    quiet: paint("dim"),
    strong: paint("bold"),
  };
}

const HEADINGS = {
  backward: "B reads what A wrote",
  forward: "A reads what B writes",
} as const;

const PAINT_OF: Record<Severity, keyof Painter> = {
  breaking: "bad",
  warning: "careful",
  behaviour: "careful",
  info: "quiet",
};
const ORDER: readonly Severity[] = ["breaking", "warning", "behaviour", "info"];

/** One direction as text: differences by severity, each with its location, its fix and a message that would break. */
export function renderDifferences(
  {
    direction,
    differences,
  }: { direction: "backward" | "forward"; differences: readonly (RuledDifference & { witness?: Witness })[] },
  paint: Painter,
): string {
  const lines = [paint.strong(HEADINGS[direction])];
  if (differences.length === 0) lines.push("  no differences");
  for (const difference of differences.toSorted((a, b) => ORDER.indexOf(a.severity) - ORDER.indexOf(b.severity))) {
    const { severity, kind, message, reader_pointer, writer_pointer, fix, decided_by, witness } = difference;
    const place = reader_pointer ?? writer_pointer ?? "";
    lines.push(
      `  ${paint[PAINT_OF[severity]](severity.padEnd(8))} ${kind} ${paint.quiet(`at ${place === "" ? "/" : place}`)}`,
    );
    lines.push(`           ${message}`);
    if (decided_by) {
      lines.push(
        paint.quiet(`           ${decided_by.type} "${decided_by.name}" made it so; it was ${decided_by.was}`),
      );
    }
    if (fix && severity === "breaking") lines.push(`           fix: ${fix}`);
    if (witness?.status === "confirmed") {
      lines.push(`           for example ${JSON.stringify(witness.datum)}`);
      lines.push(`           ${paint.quiet(`${witness.reader_result} (${witness.confirmed_by})`)}`);
    } else if (witness) lines.push(`           ${paint.quiet(`no example found: ${witness.reason}`)}`);
  }
  return `${lines.join("\n")}\n`;
}
