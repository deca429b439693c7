import { UsageError } from "./usage-error.ts";

/** `--ref NAME=FILE`, split at the last equals sign: a name may contain one, a file may not. */
export function splitReference(text: string): { name: string; file: string } {
  const at = text.lastIndexOf("=");
  if (at <= 0) throw new UsageError(`--ref must be NAME=FILE, got "${text}".`);
  return { name: text.slice(0, at), file: text.slice(at + 1) };
}
