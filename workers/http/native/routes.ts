/** The native API: each operation of the contract's document and what answers it. */
import type { Answer } from "../answer.ts";
import type { Route } from "../call.ts";
import { serviceOperations } from "../service.ts";
import { backupOperations } from "./backup.ts";
import { bundleOperations } from "./bundle.ts";
import { checkCompatibility, deleteCompatibility, getCompatibility, putCompatibility } from "./compatibility.ts";
import { getSchemaContent } from "./content.ts";
import { executeDataRules } from "./data-rules.ts";
import { eventOperations } from "./events.ts";
import { graphOperations } from "./graph.ts";
import { getLog } from "./log.ts";
import { OPERATIONS } from "./operations.ts";
import { readModelOperations } from "./read-model.ts";
import { reportOperations } from "./report.ts";
import { type NativeRequest, readNativeRequest, readNativeRequestWithBody } from "./request.ts";
import { ruleOperations } from "./rules.ts";
import {
  checkSchemaText,
  deleteSchema,
  getSchema,
  listSchemas,
  registerSchema,
  undeleteSchema,
  updateSchema,
} from "./schemas.ts";
import { searchOperations } from "./search.ts";
import {
  deleteWholeSubject,
  diffSubjectVersions,
  getSubject,
  getVersion,
  listAllSubjects,
  listSubjectVersions,
} from "./subjects.ts";
import { webhookOperations } from "./webhooks.ts";

type AnswerNative = (request: NativeRequest) => Promise<Answer> | Answer;

/** By operationId. */
const HANDLERS: Readonly<Record<string, AnswerNative>> = {
  register_schema: registerSchema,
  list_schemas: listSchemas,
  check_schema: checkSchemaText,
  get_schema: getSchema,
  update_schema: updateSchema,
  delete_schema: deleteSchema,
  get_schema_content: getSchemaContent,
  undelete_schema: undeleteSchema,
  list_subjects: listAllSubjects,
  get_subject: getSubject,
  delete_subject: deleteWholeSubject,
  list_versions: listSubjectVersions,
  get_version: getVersion,
  diff_versions: diffSubjectVersions,
  get_subject_compatibility: getCompatibility,
  set_subject_compatibility: putCompatibility,
  reset_subject_compatibility: deleteCompatibility,
  get_compatibility: getCompatibility,
  set_compatibility: putCompatibility,
  reset_compatibility: deleteCompatibility,
  check_compatibility: checkCompatibility,
  ...bundleOperations,
  ...reportOperations,
  ...ruleOperations,
  execute_data_rules: executeDataRules,
  read_log: getLog,
  ...backupOperations,
  ...eventOperations,
  ...graphOperations,
  ...readModelOperations,
  ...searchOperations,
  ...webhookOperations,
  ...serviceOperations,
};

/** Throws when the module loads if an operation has no handler, so a documented route always answers. */
export const nativeRoutes: readonly Route[] = OPERATIONS.map((operation) => {
  const answerNative = HANDLERS[operation.id];
  if (answerNative === undefined) throw new Error(`Operation ${operation.id} has no handler.`);
  const { method, path, produces, checkBody } = operation;
  return {
    method,
    path,
    produces,
    answer: checkBody
      ? async (call) => answerNative(await readNativeRequestWithBody(operation, call))
      : (call) => answerNative(readNativeRequest(operation, call)),
  };
});
