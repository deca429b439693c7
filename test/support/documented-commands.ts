/** The commands of a page and the output shown below each, for tests that run what the documentation shows. */

export type DocumentedCommand = { command: string; shown: string; afterRestart: boolean };

/** The commands of a section in order, each with the output shown below it. */
export function documentedCommands(section: string): DocumentedCommand[] {
  const steps: DocumentedCommand[] = [];
  let prose = "";
  for (const [index, part] of section.split(/^```\n/m).entries()) {
    if (index % 2 === 0) {
      prose = part;
      continue;
    }
    for (const line of part.split("\n").slice(0, -1)) {
      const last = steps.at(-1);
      if (line.startsWith("$ ")) {
        steps.push({ command: line.slice(2), shown: "", afterRestart: /\bkill it, start it again\b/.test(prose) });
        prose = "";
      } else if (last !== undefined && isOpen(last.command)) last.command += `\n${line}`;
      else if (last !== undefined) last.shown += `${line}\n`;
    }
  }
  return steps;
}

/** Whether a quoted string continues on the next line. */
function isOpen(command: string): boolean {
  return (command.match(/'/g) ?? []).length % 2 === 1;
}

const UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}";

/** The shown output, where `…` matches anything, spaces match any layout, and a version 7 UUID matches any. */
export function outputPattern(shown: string): RegExp {
  const pieces = withoutSpaces(shown)
    .split("…")
    .map((piece) => piece.replaceAll(/[\\^$.*+?()[\]{}|]/g, "\\$&"));
  return new RegExp(
    pieces.join("[\\s\\S]*").replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}/g, UUID),
  );
}

export function withoutSpaces(text: string): string {
  return text.replaceAll(/\s+/g, "");
}
