/** `/compatibility`: whether a schema could be registered, and the differences if not. */
import { confluentMessage, ERRORS, makeRefusal, type Refusal } from "../../../contract/errors.ts";
import { parseSubjectName } from "../../../schema/subject-name.ts";
import { CONFLUENT_DIALECT } from "../../registry/read/views.ts";
import { checkContent } from "../../registry/write/commit.ts";
import { readIncompatibilityLines } from "../../registry/write/confluent-registration.ts";
import type { Answer } from "../answer.ts";
import { RegistryError } from "../errors.ts";
import { parseRegistrationBody } from "./contract-fields.ts";
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
  const { format, text, references, metadata, ruleSet } = parseRegistrationBody(await readFields(request));
  if (text === "")
    return answerInvalid(request, makeRefusal("INVALID_SCHEMA", ["Empty schema"], "Empty schema"), isVerbose);
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
  if (!checked.ok) return answerInvalid(request, checked.refusal, isVerbose);
  const { result, asOf } = checked.value;
  const isCompatible = result.incompatible === null;
  if (!isVerbose) return answerJson(request, { is_compatible: isCompatible }, answeredAt(asOf));
  const lines = await readIncompatibilityLines(edge, result, format);
  if (!lines.ok) throw new RegistryError(lines.refusal);
  const body = { is_compatible: isCompatible, messages: lines.value };
  return answerJson(request, body, answeredAt(asOf));
}

/** With `verbose`, an invalid schema is an incompatible one whose reason is its message; without, it is an error. */
function answerInvalid(request: ConfluentRequest, refusal: Refusal, isVerbose: boolean): Answer {
  const isInvalidSchema = ERRORS[refusal.error].confluent.error_code === ERRORS.INVALID_SCHEMA.confluent.error_code;
  if (!isVerbose || !isInvalidSchema) throw new RegistryError(refusal);
  return answerJson(request, { is_compatible: false, messages: [confluentMessage(refusal)] });
}
