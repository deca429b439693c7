/** How strictly a new text is read, and the stored versions that a stricter reading would refuse. */
import type { Need, RegisterCommand } from "../../../registry/commands.ts";
import type { Mode } from "../../../registry/config.ts";
import type { EffectiveConfig } from "../../../registry/questions.ts";
import type { SchemaProblem, Strictness } from "../../../schema/format.ts";
import { sortMetadata, sortRuleSet } from "../../../schema/rules/data-contract.ts";
import type { RecordRow, SubjectRow } from "../state/reader.ts";
import { type Deciding, isImporting } from "./decision.ts";
import { findEquivalent } from "./lookup.ts";
import { readText, type TextToRead } from "./reading.ts";

export function strictnessFor({ api, confluentId }: RegisterCommand, mode: Mode, config: EffectiveConfig): Strictness {
  if (isImporting(mode) || confluentId !== null || config.validateNewSchemas === false) return "stored";
  return api === "confluent" ? "confluent" : "new";
}

/**
 * The version of a subject that has this text already, though a new one could not have it: an import may bring what a
 * registration refuses. The Confluent server looks a text up before it validates it, so clients can register theirs again.
 */
export function findStored(
  deciding: Deciding,
  asked: { command: RegisterCommand; config: EffectiveConfig; subject: SubjectRow; textToRead: TextToRead },
):
  | { type: "found"; record: RecordRow; warnings: readonly SchemaProblem[] }
  | { type: "needs"; needs: Need[] }
  | undefined {
  const { command, config, subject, textToRead } = asked;
  if (command.api !== "confluent" || textToRead.strictness === "stored") return undefined;
  // What is stored may also refer to what a new version may not: deleted versions, other formats.
  const loosely: TextToRead = { ...textToRead, strictness: "stored", validateFields: false, deleted: true };
  const read = readText(deciding, deciding.state.resolveAlias(command.name).context, loosely);
  if (read.type === "needs") return read;
  if (read.type === "refused") return undefined;
  const { reading, references } = read;
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
