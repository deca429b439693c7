/** `/subjects/{s}/versions/{v}/rules/execute`: runs a version's rules on a message. The Confluent server leaves that to clients. */
import { makeRefusal } from "../../../contract/errors.ts";
import { parseSubjectName } from "../../../schema/subject-name.ts";
import { readVersion } from "../../read-path/records.ts";
import { executeRules } from "../../registry/compatibility/run-rules.ts";
import { versionNotFound } from "../../registry/read/read.ts";
import type { Answer } from "../answer.ts";
import { RegistryError, requireValue } from "../errors.ts";
import { answeredAt, answerJson, type ConfluentRequest, parseConsistency, readFields } from "./request.ts";
import { parseVersion } from "./version-id.ts";
import { readVersionRecord } from "./versions.ts";

const MODES = ["WRITE", "READ", "UPGRADE", "DOWNGRADE"] as const;

export async function executeVersionRules(request: ConfluentRequest): Promise<Answer> {
  const { edge, params } = request;
  const fields = await readFields(request);
  const mode = fields.oneOf("mode", MODES);
  if (mode === undefined || !fields.has("message")) {
    const detail = `The body needs a message and a mode: one of ${MODES.join(", ")}`;
    throw new RegistryError(makeRefusal("UNPROCESSABLE", [detail], detail));
  }
  const { record } = await readVersionRecord(request, true);
  const wanted = fields.text("targetVersion");
  let target: typeof record | undefined;
  if (wanted !== undefined) {
    const selector = parseVersion(wanted);
    const name = parseSubjectName(params.subject!);
    const read = { name, selector, deleted: false, anyContext: true };
    const found = requireValue(await readVersion(edge, read, parseConsistency(request)));
    if (!("record" in found)) throw new RegistryError(versionNotFound(name, String(selector)));
    target = found.record;
  }
  const message = fields.json("message");
  const {
    passed,
    message: result,
    runs,
    asOf,
  } = requireValue(await executeRules(edge, { record, mode, target, message }));
  const executed = runs.map(({ name, phase, mode: ran, versionNumber, result: outcome, action, message: said }) => ({
    name,
    phase,
    mode: ran,
    version: versionNumber,
    result: outcome,
    action,
    ...(said === null ? {} : { message: said }),
  }));
  return answerJson(request, { passed, message: result, executed }, asOf === null ? {} : answeredAt(asOf));
}
