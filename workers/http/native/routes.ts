/** The native API: each operation of the contract's document and what answers it. */
import type { Answer } from "../answer";
import type { Route } from "../call";
import { serviceOperations } from "../service";
import { backupOperations } from "./backup";
import { bundleOperations } from "./bundle";
import { checkCompatibility, deleteCompatibility, getCompatibility, putCompatibility } from "./compatibility";
import { getSchemaContent } from "./content";
import { executeDataRules } from "./data-rules";
import { eventOperations } from "./events";
import { graphOperations } from "./graph";
import { getLog } from "./log";
import { OPERATIONS } from "./operations";
import { readModelOperations } from "./read-model";
import { reportOperations } from "./report";
import { type NativeRequest, readNativeRequest, readNativeRequestWithBody } from "./request";
import { ruleOperations } from "./rules";
import {
  checkSchemaText,
  deleteSchema,
  getSchema,
  listSchemas,
  registerSchema,
  undeleteSchema,
  updateSchema,
} from "./schemas";
import { searchOperations } from "./search";
import {
  deleteWholeSubject,
  diffSubjectVersions,
  getSubject,
  getVersion,
  listAllSubjects,
  listSubjectVersions,
} from "./subjects";
import { webhookOperations } from "./webhooks";

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
