/** Text for people: colour, and differences by severity. */
import { styleText } from "node:util";
import { bySeverity, type Finding, placeOfFinding } from "./report.ts";

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

const HEADINGS: Readonly<Record<string, string>> = {
  backward: "B reads what A wrote",
  forward: "A reads what B writes",
};

const PAINT_OF: Readonly<Record<string, keyof Painter>> = {
  breaking: "bad",
  warning: "careful",
  behaviour: "careful",
  info: "quiet",
};

/** One direction: differences by severity, each with its location, its fix and a message that would break. */
export function paintDirection(direction: string, findings: readonly Finding[], paint: Painter): string {
  const lines = [paint.strong(HEADINGS[direction] ?? direction)];
  if (findings.length === 0) lines.push("  no differences");
  for (const finding of bySeverity(findings)) lines.push(...paintFinding(finding, paint));
  return `${lines.join("\n")}\n`;
}

export function paintFinding(finding: Finding, paint: Painter): string[] {
  const { severity, kind, message, pointer, position, fix, decided_by, witness } = finding;
  const colour = paint[PAINT_OF[severity] ?? "quiet"];
  const lines = [`  ${colour(severity.padEnd(8))} ${kind} ${paint.quiet(`at ${pointer === "" ? "/" : pointer}`)}`];
  if (position !== undefined) lines.push(paint.quiet(`           ${placeOfFinding(finding)}`));
  lines.push(`           ${message}`);
  if (decided_by) {
    lines.push(paint.quiet(`           ${decided_by.type} "${decided_by.name}" made it so; it was ${decided_by.was}`));
  }
  if (fix && severity === "breaking") lines.push(`           fix: ${fix}`);
  if (witness?.status === "confirmed") {
    lines.push(`           for example ${JSON.stringify(witness.datum)}`);
    if (witness.reader_result !== undefined) lines.push(`           ${paint.quiet(witness.reader_result)}`);
  } else if (witness?.reason !== undefined)
    lines.push(`           ${paint.quiet(`no example found: ${witness.reason}`)}`);
  return lines;
}
