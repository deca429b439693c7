/** Makes a registration's compatibility check without registering. */

import { makeRefusal, type Refusal } from "../../../contract/errors.ts";
import type { CheckRequest, CheckResult } from "../../../registry/lookup.ts";
import { NATIVE_HASHES } from "../../../registry/native-hashes.ts";
import { contentHash } from "../../../schema/content-hash.ts";
import { listWithin } from "../../../schema/difference-list.ts";
import { ok, type Result, refuse } from "../../../schema/result.ts";
import { type DataContract, sortMetadata, sortRuleSet } from "../../../schema/rules/data-contract.ts";
import { printSubjectName, type SubjectName } from "../../../schema/subject-name.ts";
import { type RecordRow, readDataContract, type StateReader, toRecord } from "../state/reader.ts";
import {
  comparedRecords,
  decideComparison,
  MAX_REFUSED_DIFFERENCE_BYTES,
  readGroup,
  tooWide,
} from "./compatibility.ts";
import type { Deciding, DecisionStep } from "./decision.ts";
import { readSchemaText } from "./reading.ts";
import { finalizeDataContract } from "./register.ts";

export function decideCheck(
  deciding: Deciding,
  request: CheckRequest,
): DecisionStep<{ type: "checked"; result: CheckResult }> {
  const { state } = deciding;
  const name = state.resolveAlias(request.name);
  const subject = state.subjectFor(name, request.format);
  const config = state.effectiveConfig(name, "confluent");
  const rows = selectedRows(state, name, request);
  if (!rows.ok) return rows;

  const read = readSchemaText(deciding, name.context, {
    ...request,
    normalise: request.normalise || config.normalize === true,
    strictness: config.validateNewSchemas === false ? "stored" : "confluent",
    validateFields: config.validateFields ?? false,
    deleted: false,
  });
  if (!read.ok) return read;
  if (read.value.type === "needs") return ok(read.value);
  const { reading, references } = read.value;
  const requested: DataContract = { metadata: sortMetadata(request.metadata), ruleSet: sortRuleSet(request.ruleSet) };
  const previous = subject && state.newestLive(subject.subject_key);
  const asked = { ...request, api: "confluent", versionNumber: null } as const;
  const contract = finalizeDataContract(requested, asked, previous, config, (subject?.last_number ?? 0) + 1);
  const content = { format: request.format, text: reading.text, references: references.resolved, contract };
  const hash = contentHash(content, NATIVE_HASHES);
  const closure = state.closureOf(hash, references.resolved, name.context);
  if (!closure) return tooWide(name);
  const group = readGroup(contract, config.compatibilityGroup);
  const compared = rows.value
    ? rows.value.filter((row) => readGroup(readDataContract(row), config.compatibilityGroup) === group)
    : comparedRecords(state, subject, group, config);
  const candidate = {
    name,
    format: request.format,
    contract,
    closure,
    dialect: reading.dialect,
    topLevelNames: reading.topLevelNames,
    role: state.roleOf(subject, config),
  };
  const decision = decideComparison(deciding, candidate, compared, subject, config);
  if (!decision.ok) return decision;
  const { value } = decision;
  if (value.type === "needs") return ok(value);
  return ok({
    type: "checked",
    result: {
      level: config.compatibilityLevel,
      validateFields: config.validateFields ?? false,
      incompatible:
        value.type === "compatible"
          ? null
          : {
              record: value.row && toRecord(value.row),
              differences: listWithin(value.differences, MAX_REFUSED_DIFFERENCE_BYTES),
            },
    },
  });
}

/** The version that a check names; undefined if the level chooses the versions. */
function selectedRows(
  state: StateReader,
  name: SubjectName,
  { selector, format }: Pick<CheckRequest, "selector" | "format">,
): Result<RecordRow[] | undefined, Refusal> {
  if (selector === "level") return ok(undefined);
  const subject = state.subjectFor(name, format);
  const row =
    subject &&
    (selector === "latest"
      ? state.newestLive(subject.subject_key)
      : state.recordByNumber(subject.subject_key, selector));
  if (row?.deleted !== 0 && selector !== "latest") {
    const detail = `"${printSubjectName(name)}" has no version ${selector}.`;
    return refuse(makeRefusal("VERSION_NOT_FOUND", [selector], detail));
  }
  return ok(row ? [row] : []);
}
