/** A random file and a random change of it, as texts: the pairs for property tests and Buf. */
import { changeFile } from "./changed-file.ts";
import { generateFile } from "./generated-file.ts";
import { Random } from "./generated-model.ts";
import { renderFile } from "./rendered-file.ts";

/** Two texts, the second made from the first by the changes. */
export function generatePair(
  seed: number,
  changes: readonly number[],
  packageName: string,
): { writer: string; reader: string } {
  const random = new Random(seed);
  const writer = generateFile(random, packageName);
  return { writer: renderFile(writer), reader: renderFile(changeFile(random, writer, changes)) };
}
