/** Runs the rules of a subject's versions over a message. */

import { makeRefusal, type Refusal } from "../../../contract/errors.ts";
import type { AsOf } from "../../../registry/log-entry.ts";
import type { SchemaRecord } from "../../../registry/record.ts";
import { formatNamed } from "../../../schema/formats.ts";
import { ok, type Result, refuse } from "../../../schema/result.ts";
import { messageFields } from "../../../schema/rules/message-fields.ts";
import { type RuleMode, type RuleStage, type RulesOutcome, runRules } from "../../../schema/rules/rule-set.ts";
import type { Edge } from "../../edge.ts";
import { listRecordsOfSubject } from "../read/confluent-lists.ts";
import { parseStored } from "../read/views.ts";

type RuleExecution = {
  /** The version the message was or will be written with. */
  record: SchemaRecord;
  mode: RuleMode;
  /** The reader's version, if it is a different one. */
  target: SchemaRecord | undefined;
  message: unknown;
};

type RulesRun = RulesOutcome & { asOf: AsOf | null };

export async function executeRules(
  edge: Edge,
  { record, mode, target, message }: RuleExecution,
): Promise<Result<RulesRun, Refusal>> {
  const stages: RuleStage[] = [];
  let asOf: AsOf | null = null;
  if (mode !== "WRITE" && target && target.versionNumber !== record.versionNumber) {
    const { context, subject } = record;
    const listed = await listRecordsOfSubject(edge, { name: { context, subject }, deleted: false });
    if (!listed.ok) return listed;
    asOf = listed.value.asOf;
    const steps = migrationsBetween(listed.value.records, record.versionNumber!, target.versionNumber!);
    if (mode !== "READ" && steps.some((step) => step.mode !== mode)) {
      const detail = `Mode ${mode} cannot migrate from version ${record.versionNumber} to version ${target.versionNumber}.`;
      return refuse(makeRefusal("UNPROCESSABLE", [detail], detail));
    }
    for (const step of steps) {
      const stage = await toStage(edge, step.record, "migration", step.mode);
      if (!stage.ok) return stage;
      stages.push(stage.value);
    }
  }
  if (mode === "WRITE" || mode === "READ") {
    const stage = await toStage(edge, mode === "READ" && target ? target : record, "domain", mode);
    if (!stage.ok) return stage;
    stages.push(stage.value);
  }
  const run = await runRules(stages, message, (micros) => edge.work.spend(micros));
  return ok({ ...run, asOf });
}

/** Each migration step uses the rules of its newer version. */
function migrationsBetween(
  records: readonly SchemaRecord[],
  from: number,
  to: number,
): { record: SchemaRecord; mode: "UPGRADE" | "DOWNGRADE" }[] {
  const [older, newer] = from < to ? [from, to] : [to, from];
  const steps = records.filter(({ versionNumber }) => versionNumber! > older && versionNumber! <= newer);
  return from < to
    ? steps.map((record) => ({ record, mode: "UPGRADE" }))
    : steps.reverse().map((record) => ({ record, mode: "DOWNGRADE" }));
}

async function toStage(
  edge: Edge,
  record: SchemaRecord,
  phase: RuleStage["phase"],
  mode: RuleMode,
): Promise<Result<RuleStage, Refusal>> {
  const { ruleSet, metadata } = record.contract;
  const isOff = ruleSet?.enableAt === "NONE";
  const rules = (phase === "domain" ? ruleSet?.domainRules : ruleSet?.migrationRules) ?? [];
  const read = await parseStored(edge, record);
  if (!read.ok) return read;
  const fields = messageFields(formatNamed(record.format), read.value.model, read.value.text, metadata);
  return ok({ phase, mode, versionNumber: record.versionNumber!, rules: isOff ? [] : rules, fields });
}
