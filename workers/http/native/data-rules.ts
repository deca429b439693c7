/** `/subjects/{s}/versions/{v}/rules/execute`: runs the rules of a data contract on a message. */
import type { RuleMode } from "../../../schema/rules/rule-set.ts";
import { executeRules } from "../../registry/compatibility/run-rules.ts";
import { readBySelector } from "../../registry/read/read.ts";
import { type Answer, jsonAnswer, provenance } from "../answer.ts";
import { requireValue } from "../errors.ts";
import { textParameter } from "./fields.ts";
import { parseConsistency } from "./records.ts";
import type { NativeRequest } from "./request.ts";

type ExecuteBody = { mode: RuleMode; message: unknown; target_version?: string };

export async function executeDataRules(request: NativeRequest): Promise<Answer> {
  const { edge, path } = request;
  const { mode, message, target_version: targetVersion } = request.body as ExecuteBody;
  const read = async (version: string) => {
    const wanted = { subject: path.subject!, context: textParameter(request, "context"), version, deleted: false };
    return requireValue(await readBySelector(edge, wanted, parseConsistency(request)));
  };
  const { record, asOf } = await read(path.version!);
  const target = targetVersion === undefined ? undefined : (await read(targetVersion)).record;
  const run = requireValue(await executeRules(edge, { record, mode, target, message }));
  const executed = run.runs.map(({ versionNumber, message: said, ...ran }) => ({
    ...ran,
    version_number: versionNumber,
    ...(said === null ? {} : { message: said }),
  }));
  const answer = { passed: run.passed, message: run.message, executed };
  return jsonAnswer(200, answer, provenance(run.asOf ?? asOf, "primary"));
}
