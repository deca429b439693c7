/** Hostile pairs that are kept outside this repository; none where they are absent. */
import { existsSync } from "node:fs";
import { pathToFileURL } from "node:url";
import type { HostilePair } from "./hostile-schemas.ts";

const FILE = "../shared/cases/bounds.mjs";

/** Texts are given where numbers are beyond a double. */
type SharedPair = {
  name: string;
  format: HostilePair["format"];
  reader?: unknown;
  writer?: unknown;
  readerText?: string;
  writerText?: string;
};

export async function sharedHostilePairs(): Promise<HostilePair[]> {
  if (!existsSync(FILE)) return [];
  const bounds = (await import(pathToFileURL(FILE).href)) as Record<string, () => SharedPair | SharedPair[]>;
  const textOf = (text: string | undefined, value: unknown) =>
    text ?? (typeof value === "string" ? value : JSON.stringify(value));
  return Object.values(bounds)
    .flatMap((make) => make())
    .map(({ name, format, reader, writer, readerText, writerText }) => ({
      name: `${name} (shared)`,
      format,
      reader: textOf(readerText, reader),
      writer: textOf(writerText, writer),
    }));
}
