/** The strictness with which a new text is parsed, and stored versions that a stricter parser would refuse. */
import type { RegisterCommand } from "../../../registry/commands.ts";
import type { EffectiveConfig, Mode } from "../../../registry/config.ts";
import type { SchemaProblem, Strictness } from "../../../schema/format.ts";
import { sortMetadata, sortRuleSet } from "../../../schema/rules/data-contract.ts";
import type { RecordRow, SubjectRow } from "../state/reader.ts";
import { type Deciding, isImporting, type Needs } from "./decision.ts";
import { findEquivalent } from "./lookup.ts";
import { readSchemaText, type TextToRead } from "./reading.ts";

export function strictnessFor({ api, confluentId }: RegisterCommand, mode: Mode, config: EffectiveConfig): Strictness {
  if (isImporting(mode) || confluentId !== null || config.validateNewSchemas === false) return "stored";
  return api === "confluent" ? "confluent" : "new";
}

/**
 * The subject's existing version with this text, even if a new version with it would be refused: imports may bring such
 * texts. The Confluent server looks a text up before it validates it, so clients can register theirs again.
 */
export function findStored(
  deciding: Deciding,
  asked: { command: RegisterCommand; config: EffectiveConfig; subject: SubjectRow; textToRead: TextToRead },
): { type: "found"; record: RecordRow; warnings: readonly SchemaProblem[] } | Needs | undefined {
  const { command, config, subject, textToRead } = asked;
  if (command.api !== "confluent" || textToRead.strictness === "stored") return undefined;
  // A stored version may also reference what a new one may not: deleted versions and other formats.
  const loosely: TextToRead = { ...textToRead, strictness: "stored", validateFields: false, deleted: true };
  const read = readSchemaText(deciding, deciding.state.resolveAlias(command.name).context, loosely);
  if (!read.ok) return undefined;
  if (read.value.type === "needs") return read.value;
  const { reading, references } = read.value;
  const sought = {
    format: command.format,
    text: reading.text,
    equivalenceHash: reading.equivalenceHash,
    references: references.resolved,
    contract: { metadata: sortMetadata(command.metadata), ruleSet: sortRuleSet(command.ruleSet) },
  };
  const record = findEquivalent(deciding.state, subject, sought, {
    deleted: false,
    inheritFrom: { ...config, said: command },
  });
  return record && { type: "found", record, warnings: reading.warnings };
}
