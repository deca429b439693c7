/** `/compatibility`: whether a schema could be registered, and what stands in its way (specs: Confluent contract §5.5). */
import { confluentMessage, ERRORS, type Refusal, refuse } from "../../../contract/errors";
import type { CheckResult } from "../../../durable-objects/protocol";
import { incompatibilityLines } from "../../../schema/confluent-messages";
import type { FormatName } from "../../../schema/format";
import { formatNamed } from "../../../schema/formats";
import { parseSubjectName } from "../../../schema/subject-name";
import { textOf } from "../../read-path/texts";
import { checkContent } from "../../registry/commit";
import { CONFLUENT_DIALECT } from "../../registry/views";
import type { Answer } from "../answer";
import { RegistryError, requireValue } from "../errors";
import { registrationOf } from "./contract-fields";
import { answeredAt, answerJson, type ConfluentRequest, readFields } from "./request";
import { parseVersion } from "./version-id";

export function checkAgainstSubject(request: ConfluentRequest): Promise<Answer> {
  return answerCheck(request, "level");
}

export function checkAgainstVersion(request: ConfluentRequest): Promise<Answer> {
  return answerCheck(request, parseVersion(request.params.version!));
}

async function answerCheck(request: ConfluentRequest, selector: "level" | "latest" | number): Promise<Answer> {
  const { edge, caller, params, query } = request;
  const isVerbose = query.flag("verbose");
  const { format, text, references, metadata, ruleSet } = registrationOf(await readFields(request));
  if (text === "") return answerInvalid(request, refuse("INVALID_SCHEMA", ["Empty schema"], "Empty schema"), isVerbose);
  const checked = await checkContent(edge, {
    tenant: caller.tenant,
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
  { edge, caller }: ConfluentRequest,
  { incompatible, level, validateFields }: CheckResult,
  format: FormatName,
): Promise<string[]> {
  if (incompatible === null) return [];
  const { record, differences } = incompatible;
  const { text } = requireValue(await textOf(edge, caller.tenant, record.contentHash));
  const { versionNumber } = record;
  return incompatibilityLines(formatNamed(format), { differences, versionNumber, text, level, validateFields });
}
