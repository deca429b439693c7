/** The compatibility cases that can be run in any language. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { CompareOptions, Severity } from "../../../../schema/compatibility.ts";

export type CompatibilityVector = {
  description: string;
  policy: CompareOptions["policy"];
  writer: string;
  reader: string;
  /** Kinds, sorted; one per difference. */
  differences: string[];
  /** The highest severity among them, null if there are none; absent if the kinds imply it. */
  severity?: Severity | null;
};

const FOLDER = join(import.meta.dirname, "../../../../contract/vectors/compatibility/protobuf");

export function compatibilityVectors(): CompatibilityVector[] {
  return readdirSync(FOLDER).flatMap(
    (name) => JSON.parse(readFileSync(join(FOLDER, name), "utf8")) as CompatibilityVector[],
  );
}
