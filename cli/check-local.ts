/** Checks entries against local texts: files, or the same files at a git revision. */

import type { JsonSchemaModel } from "../schema/json/model.ts";
import { lintSchema } from "../schema/projection/lint.ts";
import { PROFILES } from "../schema/projection/profiles.ts";
import {
  type ComparedDifference,
  type ComparedDirection,
  type ComparisonOptions,
  compareBothWays,
  promisedDirections,
  suggestStep,
} from "./comparison.ts";
import type { Schema } from "./input/parse-schema.ts";
import { splitPlace } from "./input/unwrap.ts";
import { type CheckReport, type Finding, portabilityChanges } from "./output/report.ts";

/** Findings of one direction, each located in the later schema if it has a location there. */
export function toFindings({ direction, differences }: ComparedDirection, earlier: Schema, later: Schema): Finding[] {
  return differences.map((difference) => toFinding(difference, direction, earlier, later));
}

function toFinding(
  difference: ComparedDifference,
  direction: ComparedDirection["direction"],
  earlier: Schema,
  later: Schema,
): Finding {
  const { reader_pointer, writer_pointer, severity, kind, message, fix, decided_by, witness } = difference;
  const [own, other] = direction === "backward" ? [reader_pointer, writer_pointer] : [writer_pointer, reader_pointer];
  const [schema, pointer] = own === null && other !== null ? [earlier, other] : [later, own ?? ""];
  return {
    severity,
    kind,
    message,
    pointer: reader_pointer ?? writer_pointer ?? "",
    file: splitPlace(schema.place).path,
    position: schema.locate(pointer),
    direction,
    fix,
    witness,
    decided_by,
  };
}

export function checkAgainst(name: string, earlier: Schema, later: Schema, options: ComparisonOptions): CheckReport {
  const directions = promisedDirections(compareBothWays(earlier, later, options), options.level);
  const { bump, reasons } = suggestStep(earlier, later, options);
  return {
    ...settingsOf(options),
    name,
    place: later.place,
    against: earlier.place,
    compatible: directions.every(({ compatible }) => compatible),
    bump,
    suggestedVersion: null,
    reasons,
    findings: directions.flatMap((direction) => toFindings(direction, earlier, later)),
    problems: [],
    portability: portabilityOfChange(earlier, later),
  };
}

/** A new schema has no readers or writers yet. */
export function reportNew(name: string, schema: Schema, options: ComparisonOptions): CheckReport {
  return {
    ...settingsOf(options),
    name,
    place: schema.place,
    against: null,
    compatible: true,
    bump: null,
    suggestedVersion: "1.0.0",
    reasons: [],
    findings: [],
    problems: [],
    portability: portabilityOfChange(undefined, schema),
  };
}

function settingsOf({ level, policy, writers, role }: ComparisonOptions) {
  return { level, policy, writers, role };
}

/** Only schemas that a model sees have providers to be portable between. */
export function portabilityOfChange(earlier: Schema | undefined, later: Schema) {
  const isForModels = later.role === "tool_input" || later.role === "model_output";
  if (later.format !== "json-schema" || !isForModels) return [];
  const lint = (schema: Schema) => lintSchema(schema.model as JsonSchemaModel, PROFILES);
  return portabilityChanges(earlier === undefined ? undefined : lint(earlier), lint(later));
}
