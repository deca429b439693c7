/** The native API: the handler and the permission of every operation in the OpenAPI document. */

import type { RoutePermission } from "../../edge.ts";
import type { Answer } from "../answer.ts";
import { keyOfRoute, type Route, type RouteKey } from "../call.ts";
import { serviceRoutes } from "../service.ts";
import { getAliases, getAliasMoves, getEvidence, postEvidence, putAlias, removeAlias } from "./aliases.ts";
import {
  getCheckpoint,
  getCheckpointKeys,
  getCheckpoints,
  getConsistencyProof,
  getInclusionProof,
  getTile,
} from "./audit.ts";
import { getAuditEntries } from "./audit-entries.ts";
import { exportAuditEntries } from "./audit-export.ts";
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
import { getChangeSet, getChangeSets, postChangeSet, postPromotion } from "./change-sets.ts";
import { checkCompatibility, deleteCompatibility, getCompatibility, putCompatibility } from "./compatibility.ts";
import { getSchemaContent } from "./content.ts";
import { executeDataRules } from "./data-rules.ts";
import { postDrift, postRowCheck } from "./datasets.ts";
import { getDeniedBatch, getDeniedBatches } from "./denied-batches.ts";
import { postDecoding, postEncoding } from "./encoding.ts";
import { postResultComparison } from "./evaluations.ts";
import { readEvents } from "./events.ts";
import { getDependencies, getDependents } from "./graph.ts";
import { deleteKey, getKey, listKeys, patchKey, postKey, postKeyRotation } from "./keys.ts";
import { getLog } from "./log.ts";
import { OPERATIONS } from "./operations.ts";
import { deletePerson, exportPerson, getPerson, listPeople } from "./people.ts";
import { postDecodedAnswer, postLint, postProjection, projectRegistered } from "./projection.ts";
import { postRendering } from "./prompts.ts";
import {
  getGovernance,
  getProposal,
  getProposals,
  postApproval,
  postComment,
  postProposal,
  postRejection,
  putGovernance,
} from "./proposals.ts";
import { getReadModel, rebuild, reconcile } from "./read-model.ts";
import { getReport } from "./report.ts";
import { type NativeRequest, readNativeRequest, readNativeRequestWithBody } from "./request.ts";
import {
  deleteGrantsOf,
  deleteRoleNamed,
  getGrants,
  getMe,
  listAccessChanges,
  listGrants,
  listRoles,
  putGrantsOf,
  putRoleNamed,
} from "./roles.ts";
import { deleteRules, getExceptions, getRules, postDryRun, postException, putRules } from "./rules.ts";
import {
  checkSchemaText,
  deleteSchema,
  eraseSchema,
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
import { getTenant, listTenants, patchTenant, postTenant, removeTenant } from "./tenants.ts";
import { postToolVerification } from "./tools.ts";
import { validateBatch, validateById, validateBySelector } from "./validation.ts";
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
  /** The body need not be JSON, so the handler reads it. */
  readsBody?: true;
};

/** By method and path as in the document, without the server's prefix. */
const ROUTES: Readonly<Record<RouteKey, NativeRoute>> = {
  "GET /schemas": { answer: listSchemas, permission: "schema:read" },
  "POST /schemas": { answer: registerSchema, permission: "schema:write" },
  "POST /schemas/check": { answer: checkSchemaText, permission: "compatibility:check" },
  "GET /schemas/{id}": { answer: getSchema, permission: "schema:read" },
  "PATCH /schemas/{id}": { answer: updateSchema, permission: "schema:write" },
  "DELETE /schemas/{id}": { answer: deleteSchema, permission: "schema:delete" },
  "GET /schemas/{id}/content": { answer: getSchemaContent, permission: "schema:read" },
  "POST /schemas/{id}/undelete": { answer: undeleteSchema, permission: "schema:write" },
  "POST /schemas/{id}/erase": { answer: eraseSchema, permission: "schema:delete" },
  "POST /schemas/{id}/validate": { answer: validateById, permission: "schema:validate", readsBody: true },
  "POST /schemas/{id}/encode": { answer: postEncoding, permission: "schema:validate", readsBody: true },
  "POST /schemas/{id}/decode": { answer: postDecoding, permission: "schema:validate", readsBody: true },
  "POST /validate": { answer: validateBySelector, permission: "schema:validate", readsBody: true },
  "POST /batch/validate": { answer: validateBatch, permission: "schema:validate", readsBody: true },
  "GET /schemas/{id}/project/{profile}": { answer: projectRegistered, permission: "schema:read" },
  "POST /project": { answer: postProjection, permission: "schema:validate" },
  "POST /lint": { answer: postLint, permission: "schema:validate" },
  "POST /prompts/render": { answer: postRendering, permission: "schema:read" },
  "POST /tools/verify": { answer: postToolVerification, permission: "compatibility:check" },
  "POST /datasets/{subject}/check": { answer: postRowCheck, permission: "schema:validate", readsBody: true },
  "POST /datasets/{subject}/drift": { answer: postDrift, permission: "schema:validate" },
  "POST /evaluations/compare-results": { answer: postResultComparison, permission: "compatibility:check" },
  "POST /decode-answer": { answer: postDecodedAnswer, permission: "schema:validate" },
  "GET /schemas/{id}/dependencies": { answer: getDependencies, permission: "schema:read" },
  "GET /schemas/{id}/dependents": { answer: getDependents, permission: "schema:read" },
  "GET /subjects": { answer: listAllSubjects, permission: "subject:read" },
  "GET /subjects/{subject}": { answer: getSubject, permission: "subject:read" },
  "DELETE /subjects/{subject}": { answer: deleteWholeSubject, permission: "subject:delete" },
  "GET /subjects/{subject}/versions": { answer: listSubjectVersions, permission: "subject:read" },
  "POST /subjects/{subject}/versions": { answer: registerFile, permission: "schema:write" },
  "GET /subjects/{subject}/versions/{version}": { answer: getVersion, permission: "schema:read" },
  "POST /subjects/{subject}/versions/{version}/rules/execute": {
    answer: executeDataRules,
    permission: "schema:validate",
  },
  "GET /subjects/{subject}/diff": { answer: diffSubjectVersions, permission: "schema:read" },
  "GET /subjects/{subject}/compatibility": { answer: getCompatibility, permission: "compatibility:config:read" },
  "PUT /subjects/{subject}/compatibility": { answer: putCompatibility, permission: "compatibility:config:write" },
  "DELETE /subjects/{subject}/compatibility": { answer: deleteCompatibility, permission: "compatibility:config:write" },
  "GET /compatibility": { answer: getCompatibility, permission: "compatibility:config:read" },
  "PUT /compatibility": { answer: putCompatibility, permission: "compatibility:config:write" },
  "DELETE /compatibility": { answer: deleteCompatibility, permission: "compatibility:config:write" },
  "POST /compatibility/check": { answer: checkCompatibility, permission: "compatibility:check" },
  "POST /compatibility/bundle": { answer: postBundle, permission: "compatibility:check" },
  "GET /compatibility/report": { answer: getReport, permission: "schema:read" },
  "GET /subjects/{subject}/aliases": { answer: getAliases, permission: "schema:read" },
  "PUT /subjects/{subject}/aliases/{alias}": { answer: putAlias, permission: "schema:write" },
  "DELETE /subjects/{subject}/aliases/{alias}": { answer: removeAlias, permission: "schema:write" },
  "GET /subjects/{subject}/aliases/{alias}/moves": { answer: getAliasMoves, permission: "schema:read" },
  "GET /subjects/{subject}/versions/{version}/evidence": { answer: getEvidence, permission: "schema:read" },
  "POST /subjects/{subject}/versions/{version}/evidence": { answer: postEvidence, permission: "schema:write" },
  "GET /subjects/{subject}/rules": { answer: getRules, permission: "compatibility:config:read" },
  "PUT /subjects/{subject}/rules": { answer: putRules, permission: "compatibility:config:write" },
  "DELETE /subjects/{subject}/rules": { answer: deleteRules, permission: "compatibility:config:write" },
  "GET /rules": { answer: getRules, permission: "compatibility:config:read" },
  "PUT /rules": { answer: putRules, permission: "compatibility:config:write" },
  "DELETE /rules": { answer: deleteRules, permission: "compatibility:config:write" },
  "POST /rules/dry-run": { answer: postDryRun, permission: "compatibility:check" },
  "GET /exceptions": { answer: getExceptions, permission: "compatibility:config:read" },
  "POST /exceptions": { answer: postException, permission: "compatibility:config:write" },
  "POST /promotions": { answer: postPromotion, permission: "schema:write" },
  "GET /change-sets": { answer: getChangeSets, permission: "schema:read" },
  "POST /change-sets": { answer: postChangeSet, permission: "schema:write" },
  "GET /change-sets/{change_set}": { answer: getChangeSet, permission: "schema:read" },
  "GET /governance": { answer: getGovernance, permission: "compatibility:config:read" },
  "PUT /governance": { answer: putGovernance, permission: "admin:config" },
  "GET /proposals": { answer: getProposals, permission: "schema:read" },
  "POST /proposals": { answer: postProposal, permission: "schema:write" },
  "GET /proposals/{proposal}": { answer: getProposal, permission: "schema:read" },
  "POST /proposals/{proposal}/comments": { answer: postComment, permission: "schema:write" },
  "POST /proposals/{proposal}/approve": { answer: postApproval, permission: "schema:write" },
  "POST /proposals/{proposal}/reject": { answer: postRejection, permission: "schema:write" },
  "GET /audit/checkpoint": { answer: getCheckpoint, permission: "audit:read" },
  "GET /audit/checkpoints": { answer: getCheckpoints, permission: "audit:read" },
  "GET /audit/keys": { answer: getCheckpointKeys, permission: "audit:read" },
  "GET /audit/proofs/inclusion": { answer: getInclusionProof, permission: "audit:read" },
  "GET /audit/proofs/consistency": { answer: getConsistencyProof, permission: "audit:read" },
  "GET /audit/entries": { answer: getAuditEntries, permission: "audit:read" },
  "GET /audit/export": { answer: exportAuditEntries, permission: "audit:read" },
  "GET /audit/denied-batches": { answer: getDeniedBatches, permission: "audit:read" },
  "GET /audit/denied-batches/{day}/{batch}": { answer: getDeniedBatch, permission: "audit:read" },
  "GET /audit/tile/{tile}": { answer: getTile, permission: "audit:read" },
  "GET /search": { answer: searchByQuery, permission: "schema:read" },
  "POST /search": { answer: searchByBody, permission: "schema:read" },
  "GET /read-model": { answer: getReadModel, permission: "metrics:read" },
  "POST /read-model/reconcile": { answer: reconcile, permission: "admin:config" },
  "POST /read-model/rebuild": { answer: rebuild, permission: "admin:config" },
  "GET /backup": { answer: getBackup, permission: "admin:config" },
  "POST /backup": { answer: runBackup, permission: "admin:config" },
  "GET /backup/export": { answer: exportBackup, permission: "admin:config" },
  "GET /backup/state": { answer: getBackupState, permission: "admin:config" },
  "DELETE /backup/restore": { answer: abandonRestore, permission: "admin:config" },
  "POST /backup/restore": { answer: restoreSegment, permission: "admin:config" },
  "POST /backup/restore/finish": { answer: finishRestore, permission: "admin:config" },
  "GET /log": { answer: getLog, permission: "audit:read" },
  "GET /events": { answer: readEvents, permission: "subject:read" },
  "GET /webhooks": { answer: getWebhooks, permission: "audit:read" },
  "POST /webhooks": { answer: postWebhook, permission: "admin:config" },
  "GET /webhooks/{webhook}": { answer: getWebhook, permission: "audit:read" },
  "PATCH /webhooks/{webhook}": { answer: patchWebhook, permission: "admin:config" },
  "DELETE /webhooks/{webhook}": { answer: removeWebhook, permission: "admin:config" },
  "POST /webhooks/{webhook}/rotate": { answer: postRotation, permission: "admin:config" },
  "GET /webhooks/{webhook}/secret": { answer: getSecret, permission: "admin:config" },
  "POST /webhooks/{webhook}/test": { answer: postTest, permission: "admin:config" },
  "GET /webhooks/{webhook}/deliveries": { answer: getDeliveries, permission: "audit:read" },
  "POST /webhooks/{webhook}/deliveries/{delivery}/replay": { answer: postReplayOfOne, permission: "admin:config" },
  "POST /webhooks/{webhook}/replay": { answer: postReplay, permission: "admin:config" },
  "GET /me": { answer: getMe, permission: "authenticated" },
  "GET /keys": { answer: listKeys, permission: "admin:users" },
  "POST /keys": { answer: postKey, permission: "admin:users" },
  "GET /keys/{key}": { answer: getKey, permission: "admin:users" },
  "PATCH /keys/{key}": { answer: patchKey, permission: "admin:users" },
  "DELETE /keys/{key}": { answer: deleteKey, permission: "admin:users" },
  "POST /keys/{key}/rotate": { answer: postKeyRotation, permission: "admin:users" },
  "GET /roles": { answer: listRoles, permission: "admin:access" },
  "PUT /roles/{role}": { answer: putRoleNamed, permission: "admin:access" },
  "DELETE /roles/{role}": { answer: deleteRoleNamed, permission: "admin:access" },
  "GET /grants": { answer: listGrants, permission: "admin:access" },
  "GET /grants/{principal}": { answer: getGrants, permission: "admin:access" },
  "PUT /grants/{principal}": { answer: putGrantsOf, permission: "admin:access" },
  "DELETE /grants/{principal}": { answer: deleteGrantsOf, permission: "admin:access" },
  "GET /people": { answer: listPeople, permission: "admin:users" },
  "GET /people/{actor}": { answer: getPerson, permission: "admin:users" },
  "GET /people/{actor}/export": { answer: exportPerson, permission: "admin:users" },
  "DELETE /people/{actor}": { answer: deletePerson, permission: "admin:users" },
  "GET /access/changes": { answer: listAccessChanges, permission: "audit:read" },
  "GET /tenants": { answer: listTenants, permission: "admin:tenants" },
  "POST /tenants": { answer: postTenant, permission: "admin:tenants" },
  "GET /tenants/{tenant}": { answer: getTenant, permission: "admin:tenants" },
  "PATCH /tenants/{tenant}": { answer: patchTenant, permission: "admin:tenants" },
  "DELETE /tenants/{tenant}": { answer: removeTenant, permission: "admin:tenants" },
  // Also served at the root.
  ...serviceRoutes,
};

/** Throws at module load if the document and the table disagree, so every documented route has a handler. */
export const nativeRoutes: readonly Route[] = OPERATIONS.map((operation) => {
  const { method, path, documentedPath, produces, checkBody } = operation;
  const route = ROUTES[keyOfRoute(method, documentedPath)];
  if (route === undefined) throw new Error(`The documented route ${method} ${documentedPath} has no handler.`);
  const { answer, permission, readsBody } = route;
  return {
    method,
    path,
    produces,
    permission,
    answer: readsBody
      ? async (call) => answer({ ...readNativeRequest(operation, call), checkBody: checkBody?.() })
      : checkBody
        ? async (call) => answer(await readNativeRequestWithBody(operation, call))
        : (call) => answer(readNativeRequest(operation, call)),
  };
});

if (nativeRoutes.length !== Object.keys(ROUTES).length) {
  throw new Error("The table of native routes contains a route that the OpenAPI document lacks.");
}
