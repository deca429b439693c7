/** The compatibility cases that any language can run. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { CompareOptions, Severity } from "../../../../schema/compatibility.ts";

export type CompatibilityVector = {
  description: string;
  policy: CompareOptions["policy"];
  writer: string;
  reader: string;
  /** Kinds, sorted; one for each difference. */
  differences: string[];
  /** The heaviest severity among them, null where there are none; left out where the kinds say it. */
  severity?: Severity | null;
};

const FOLDER = join(import.meta.dirname, "../../../../contract/vectors/compatibility/protobuf");

export function compatibilityVectors(): CompatibilityVector[] {
  return readdirSync(FOLDER).flatMap(
    (name) => JSON.parse(readFileSync(join(FOLDER, name), "utf8")) as CompatibilityVector[],
  );
}
