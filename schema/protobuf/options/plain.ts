/** Uninterpreted options by their plain names: for the few that checks and encodings depend on. */
import type { Option } from "../model.ts";

/** The option with that one-part name, if it is set. */
export function plainOption(options: readonly Option[], wanted: string): Option | undefined {
  return options.find(({ name }) => name.length === 1 && !name[0]!.isExtension && name[0]!.name === wanted);
}

/** The value of a boolean option, or undefined if it is not set. */
export function booleanOption(options: readonly Option[], wanted: string): boolean | undefined {
  const value = plainOption(options, wanted)?.value;
  return value?.kind === "identifier" ? value.name === "true" : undefined;
}
