import { dispatch } from "../../cli/dispatch.ts";
import type { Shell } from "../../cli/shell.ts";

export type Called = { code: number; output: string; errors: string };

/** Runs a command in this process, with nothing of the user's own settings. */
export async function callLlmsr(
  args: readonly string[],
  shell: Partial<Shell> & { stdin?: string } = {},
): Promise<Called> {
  let [output, errors] = ["", ""];
  const code = await dispatch(args, {
    print: (text) => {
      output += text;
    },
    printError: (text) => {
      errors += text;
    },
    redraw: () => {},
    isTerminal: false,
    errorIsTerminal: false,
    inputIsTerminal: false,
    isQuiet: false,
    env: { PATH: process.env.PATH, XDG_CONFIG_HOME: "/nowhere" },
    cwd: process.cwd(),
    fetch: (input, init) => fetch(input, init),
    readStdin: () => shell.stdin ?? "",
    stdinChunks: () => inPieces(shell.stdin ?? ""),
    signal: new AbortController().signal,
    outputClosed: new AbortController().signal,
    ...shell,
  });
  return { code, output, errors };
}

async function* inPieces(text: string): AsyncGenerator<Uint8Array> {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length; at += 3) yield bytes.subarray(at, at + 3);
}
