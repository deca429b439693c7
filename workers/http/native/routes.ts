/** The native API: every operation of the contract's document, what answers it, and the permission it asks for. */
import type { RoutePermission } from "../../edge.ts";
import type { Answer } from "../answer.ts";
import { keyOfRoute, type Route, type RouteKey } from "../call.ts";
import { serviceRoutes } from "../service.ts";
import {
  abandonRestore,
  exportBackup,
  finishRestore,
  getBackup,
  getBackupState,
  restoreSegment,
  runBackup,
} from "./backup.ts";
import { postBundle } from "./bundle.ts";
import { checkCompatibility, deleteCompatibility, getCompatibility, putCompatibility } from "./compatibility.ts";
import { getSchemaContent } from "./content.ts";
import { executeDataRules } from "./data-rules.ts";
import { readEvents } from "./events.ts";
import { getDependencies, getDependents } from "./graph.ts";
import { getLog } from "./log.ts";
import { OPERATIONS } from "./operations.ts";
import { postDecodedAnswer, postLint, postProjection, projectRegistered } from "./projection.ts";
import { getReadModel, rebuild, reconcile } from "./read-model.ts";
import { getReport } from "./report.ts";
import { type NativeRequest, readNativeRequest, readNativeRequestWithBody } from "./request.ts";
import { deleteRules, getExceptions, getRules, postDryRun, postException, putRules } from "./rules.ts";
import {
  checkSchemaText,
  deleteSchema,
  getSchema,
  listSchemas,
  registerFile,
  registerSchema,
  undeleteSchema,
  updateSchema,
} from "./schemas.ts";
import { searchByBody, searchByQuery } from "./search.ts";
import {
  deleteWholeSubject,
  diffSubjectVersions,
  getSubject,
  getVersion,
  listAllSubjects,
  listSubjectVersions,
} from "./subjects.ts";
import {
  getDeliveries,
  getSecret,
  getWebhook,
  getWebhooks,
  patchWebhook,
  postReplay,
  postReplayOfOne,
  postRotation,
  postTest,
  postWebhook,
  removeWebhook,
} from "./webhooks.ts";

type NativeRoute = {
  answer: (request: NativeRequest) => Promise<Answer> | Answer;
  permission: RoutePermission;
};

/** By method and path as the document spells them, without the server's prefix. */
const ROUTES: Readonly<Record<RouteKey, NativeRoute>> = {
  "GET /schemas": { answer: listSchemas, permission: "registry:read" },
  "POST /schemas": { answer: registerSchema, permission: "schema:write" },
  "POST /schemas/check": { answer: checkSchemaText, permission: "schema:check" },
  "GET /schemas/{id}": { answer: getSchema, permission: "registry:read" },
  "PATCH /schemas/{id}": { answer: updateSchema, permission: "schema:write" },
  "DELETE /schemas/{id}": { answer: deleteSchema, permission: "schema:delete" },
  "GET /schemas/{id}/content": { answer: getSchemaContent, permission: "registry:read" },
  "POST /schemas/{id}/undelete": { answer: undeleteSchema, permission: "schema:write" },
  "GET /schemas/{id}/project/{profile}": { answer: projectRegistered, permission: "registry:read" },
  "POST /project": { answer: postProjection, permission: "schema:check" },
  "POST /lint": { answer: postLint, permission: "schema:check" },
  "POST /decode-answer": { answer: postDecodedAnswer, permission: "schema:check" },
  "GET /schemas/{id}/dependencies": { answer: getDependencies, permission: "registry:read" },
  "GET /schemas/{id}/dependents": { answer: getDependents, permission: "registry:read" },
  "GET /subjects": { answer: listAllSubjects, permission: "registry:read" },
  "GET /subjects/{subject}": { answer: getSubject, permission: "registry:read" },
  "DELETE /subjects/{subject}": { answer: deleteWholeSubject, permission: "schema:delete" },
  "GET /subjects/{subject}/versions": { answer: listSubjectVersions, permission: "registry:read" },
  "POST /subjects/{subject}/versions": { answer: registerFile, permission: "schema:write" },
  "GET /subjects/{subject}/versions/{version}": { answer: getVersion, permission: "registry:read" },
  "POST /subjects/{subject}/versions/{version}/rules/execute": { answer: executeDataRules, permission: "schema:check" },
  "GET /subjects/{subject}/diff": { answer: diffSubjectVersions, permission: "registry:read" },
  "GET /subjects/{subject}/compatibility": { answer: getCompatibility, permission: "config:read" },
  "PUT /subjects/{subject}/compatibility": { answer: putCompatibility, permission: "config:write" },
  "DELETE /subjects/{subject}/compatibility": { answer: deleteCompatibility, permission: "config:write" },
  "GET /compatibility": { answer: getCompatibility, permission: "config:read" },
  "PUT /compatibility": { answer: putCompatibility, permission: "config:write" },
  "DELETE /compatibility": { answer: deleteCompatibility, permission: "config:write" },
  "POST /compatibility/check": { answer: checkCompatibility, permission: "schema:check" },
  "POST /compatibility/bundle": { answer: postBundle, permission: "schema:check" },
  "GET /compatibility/report": { answer: getReport, permission: "registry:read" },
  "GET /subjects/{subject}/rules": { answer: getRules, permission: "config:read" },
  "PUT /subjects/{subject}/rules": { answer: putRules, permission: "config:write" },
  "DELETE /subjects/{subject}/rules": { answer: deleteRules, permission: "config:write" },
  "GET /rules": { answer: getRules, permission: "config:read" },
  "PUT /rules": { answer: putRules, permission: "config:write" },
  "DELETE /rules": { answer: deleteRules, permission: "config:write" },
  "POST /rules/dry-run": { answer: postDryRun, permission: "schema:check" },
  "GET /exceptions": { answer: getExceptions, permission: "config:read" },
  "POST /exceptions": { answer: postException, permission: "config:write" },
  "GET /search": { answer: searchByQuery, permission: "registry:read" },
  "POST /search": { answer: searchByBody, permission: "registry:read" },
  "GET /read-model": { answer: getReadModel, permission: "log:read" },
  "POST /read-model/reconcile": { answer: reconcile, permission: "replication:write" },
  "POST /read-model/rebuild": { answer: rebuild, permission: "replication:write" },
  "GET /backup": { answer: getBackup, permission: "backup:read" },
  "POST /backup": { answer: runBackup, permission: "backup:write" },
  "GET /backup/export": { answer: exportBackup, permission: "backup:read" },
  "GET /backup/state": { answer: getBackupState, permission: "backup:read" },
  "DELETE /backup/restore": { answer: abandonRestore, permission: "backup:write" },
  "POST /backup/restore": { answer: restoreSegment, permission: "backup:write" },
  "POST /backup/restore/finish": { answer: finishRestore, permission: "backup:write" },
  "GET /log": { answer: getLog, permission: "log:read" },
  "GET /events": { answer: readEvents, permission: "registry:read" },
  "GET /webhooks": { answer: getWebhooks, permission: "webhook:read" },
  "POST /webhooks": { answer: postWebhook, permission: "webhook:write" },
  "GET /webhooks/{webhook}": { answer: getWebhook, permission: "webhook:read" },
  "PATCH /webhooks/{webhook}": { answer: patchWebhook, permission: "webhook:write" },
  "DELETE /webhooks/{webhook}": { answer: removeWebhook, permission: "webhook:write" },
  "POST /webhooks/{webhook}/rotate": { answer: postRotation, permission: "webhook:write" },
  "GET /webhooks/{webhook}/secret": { answer: getSecret, permission: "webhook:write" },
  "POST /webhooks/{webhook}/test": { answer: postTest, permission: "webhook:write" },
  "GET /webhooks/{webhook}/deliveries": { answer: getDeliveries, permission: "webhook:read" },
  "POST /webhooks/{webhook}/deliveries/{delivery}/replay": { answer: postReplayOfOne, permission: "webhook:write" },
  "POST /webhooks/{webhook}/replay": { answer: postReplay, permission: "webhook:write" },
  // At the root as well.
  ...serviceRoutes,
};

/** Throws when the module loads if the document and the table disagree, so a documented route always answers. */
export const nativeRoutes: readonly Route[] = OPERATIONS.map((operation) => {
  const { method, path, documentedPath, produces, checkBody } = operation;
  const route = ROUTES[keyOfRoute(method, documentedPath)];
  if (route === undefined) throw new Error(`The documented route ${method} ${documentedPath} has no handler.`);
  const { answer, permission } = route;
  return {
    method,
    path,
    produces,
    permission,
    answer: checkBody
      ? async (call) => answer(await readNativeRequestWithBody(operation, call))
      : (call) => answer(readNativeRequest(operation, call)),
  };
});

if (nativeRoutes.length !== Object.keys(ROUTES).length) {
  throw new Error("The table of native routes holds one that the contract's document does not.");
}
