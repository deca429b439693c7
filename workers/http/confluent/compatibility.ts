/** `/compatibility`: whether a schema could be registered, and what stands in its way (specs: Confluent contract §5.5). */
import { confluentMessage, ERRORS, type Refusal, refuse } from "../../../contract/errors.ts";
import type { CheckResult } from "../../../registry/lookup.ts";
import { incompatibilityLines } from "../../../schema/confluent-messages.ts";
import type { FormatName } from "../../../schema/format.ts";
import { formatNamed } from "../../../schema/formats.ts";
import { parseSubjectName } from "../../../schema/subject-name.ts";
import { textOf } from "../../read-path/texts.ts";
import { CONFLUENT_DIALECT } from "../../registry/read/views.ts";
import { checkContent } from "../../registry/write/commit.ts";
import type { Answer } from "../answer.ts";
import { RegistryError, requireValue } from "../errors.ts";
import { registrationOf } from "./contract-fields.ts";
import { answeredAt, answerJson, type ConfluentRequest, readFields } from "./request.ts";
import { parseVersion } from "./version-id.ts";

export function checkAgainstSubject(request: ConfluentRequest): Promise<Answer> {
  return answerCheck(request, "level");
}

export function checkAgainstVersion(request: ConfluentRequest): Promise<Answer> {
  return answerCheck(request, parseVersion(request.params.version!));
}

async function answerCheck(request: ConfluentRequest, selector: "level" | "latest" | number): Promise<Answer> {
  const { edge, params, query } = request;
  const isVerbose = query.flag("verbose");
  const { format, text, references, metadata, ruleSet } = registrationOf(await readFields(request));
  if (text === "") return answerInvalid(request, refuse("INVALID_SCHEMA", ["Empty schema"], "Empty schema"), isVerbose);
  const checked = await checkContent(edge, {
    name: parseSubjectName(params.subject!),
    format,
    text,
    references,
    metadata,
    ruleSet,
    normalise: query.flag("normalize"),
    dialect: CONFLUENT_DIALECT,
    selector,
  });
  if ("ok" in checked) return answerInvalid(request, checked, isVerbose);
  const { result, asOf } = checked;
  const messages = isVerbose ? await messagesOf(request, result, format) : undefined;
  const body = { is_compatible: result.incompatible === null, ...(messages ? { messages } : {}) };
  return answerJson(request, body, answeredAt(asOf));
}

/** Whoever asked for reasons gets them as an answer; everybody else gets the refusal. */
function answerInvalid(request: ConfluentRequest, refusal: Refusal, isVerbose: boolean): Answer {
  const isInvalidSchema = ERRORS[refusal.error].confluent.error_code === ERRORS.INVALID_SCHEMA.confluent.error_code;
  if (!isVerbose || !isInvalidSchema) throw new RegistryError(refusal);
  return answerJson(request, { is_compatible: false, messages: [confluentMessage(refusal)] });
}

async function messagesOf(
  { edge }: ConfluentRequest,
  { incompatible, level, validateFields }: CheckResult,
  format: FormatName,
): Promise<string[]> {
  if (incompatible === null) return [];
  const { record, differences } = incompatible;
  const { text } = requireValue(await textOf(edge, record.contentHash));
  const { versionNumber } = record;
  return incompatibilityLines(formatNamed(format), { differences, versionNumber, text, level, validateFields });
}
