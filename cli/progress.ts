/** Progress of long work, on standard error: redrawn on a terminal, an occasional line elsewhere. */
import type { Shell } from "./shell.ts";

/** Work that ends sooner needs no progress. */
const FIRST_AFTER_MS = 1_000;
const REDRAW_EVERY_MS = 100;
const LINE_EVERY_MS = 30_000;

type Progress = { report(count: number): void; end(): void };

export function startProgress(shell: Shell, done: string, total?: number): Progress {
  const { errorIsTerminal, isQuiet } = shell;
  let shownAtMs = Date.now() + FIRST_AFTER_MS - (errorIsTerminal ? REDRAW_EVERY_MS : LINE_EVERY_MS);
  let isDrawn = false;
  return {
    report(count) {
      const nowMs = Date.now();
      if (isQuiet || nowMs - shownAtMs < (errorIsTerminal ? REDRAW_EVERY_MS : LINE_EVERY_MS)) return;
      shownAtMs = nowMs;
      const text = `${count}${total === undefined ? "" : ` of ${total}`} ${done}`;
      if (errorIsTerminal) shell.redraw(text);
      else shell.printError(`${text}\n`);
      isDrawn = true;
    },
    end() {
      if (isDrawn && errorIsTerminal) shell.redraw("");
    },
  };
}
