/** The Confluent API at the root path; `/contexts/{c}/…` is rewritten to these before it is routed. */

import type { RoutePermission } from "../../edge.ts";
import type { Answer } from "../answer.ts";
import { type Route, type RouteKey, splitRouteKey } from "../call.ts";
import { getBatch, mutateBatch } from "./association-batches.ts";
import {
  createAssociations,
  getNamedResourceAssociations,
  getResourceAssociations,
  getSubjectAssociations,
  putAssociations,
  removeAssociations,
} from "./associations.ts";
import { checkAgainstSubject, checkAgainstVersion } from "./compatibility.ts";
import { deleteConfig, getConfig, putConfig } from "./config.ts";
import { deleteContext, getContexts, refuseContextPath } from "./contexts.ts";
import { CONFLUENT_MEDIA_TYPES, ROOT_MEDIA_TYPES } from "./media-types.ts";
import { deleteMode, getMode, putMode } from "./mode.ts";
import { type ConfluentRequest, confluentRequest } from "./request.ts";
import { executeVersionRules } from "./rules.ts";
import {
  getIdsOfGuid,
  getSchemaByGuid,
  getSchemaById,
  getSchemas,
  getSchemaTextById,
  getSchemaTypes,
  getSubjectsOfId,
  getVersionsOfId,
} from "./schemas.ts";
import { getClusterId, getDeployment, getRoot, getServerVersion, postRoot } from "./server.ts";
import { getSubjects, getVersionWithMetadata, lookUpSchema, removeSubject } from "./subjects.ts";
import {
  changeVersion,
  getReferencedBy,
  getVersion,
  getVersions,
  getVersionText,
  registerSchema,
  removeVersion,
} from "./versions.ts";

type ConfluentRoute = {
  answer: (request: ConfluentRequest) => Promise<Answer> | Answer;
  permission: RoutePermission;
};

/** By method and path pattern. */
const ROUTES: Readonly<Record<RouteKey, ConfluentRoute>> = {
  "GET /": { answer: getRoot, permission: "public" },
  "POST /": { answer: postRoot, permission: "public" },
  "GET /v1/metadata/id": { answer: getClusterId, permission: "schema:read" },
  "GET /v1/metadata/version": { answer: getServerVersion, permission: "schema:read" },
  "GET /v1/metadata/deployment": { answer: getDeployment, permission: "schema:read" },
  "GET /schemas": { answer: getSchemas, permission: "schema:read" },
  "GET /schemas/types": { answer: getSchemaTypes, permission: "schema:read" },
  "GET /schemas/ids/:id": { answer: getSchemaById, permission: "schema:read" },
  "GET /schemas/ids/:id/schema": { answer: getSchemaTextById, permission: "schema:read" },
  "GET /schemas/ids/:id/subjects": { answer: getSubjectsOfId, permission: "schema:read" },
  "GET /schemas/ids/:id/versions": { answer: getVersionsOfId, permission: "schema:read" },
  "GET /schemas/guids/:guid": { answer: getSchemaByGuid, permission: "schema:read" },
  "GET /schemas/guids/:guid/ids": { answer: getIdsOfGuid, permission: "schema:read" },
  "GET /subjects": { answer: getSubjects, permission: "subject:read" },
  "POST /subjects/:subject": { answer: lookUpSchema, permission: "schema:read" },
  "DELETE /subjects/:subject": { answer: removeSubject, permission: "subject:delete" },
  "GET /subjects/:subject/metadata": { answer: getVersionWithMetadata, permission: "schema:read" },
  "GET /subjects/:subject/versions": { answer: getVersions, permission: "subject:read" },
  "POST /subjects/:subject/versions": { answer: registerSchema, permission: "schema:write" },
  "GET /subjects/:subject/versions/:version": { answer: getVersion, permission: "schema:read" },
  "DELETE /subjects/:subject/versions/:version": { answer: removeVersion, permission: "schema:delete" },
  "GET /subjects/:subject/versions/:version/schema": { answer: getVersionText, permission: "schema:read" },
  "GET /subjects/:subject/versions/:version/referencedby": { answer: getReferencedBy, permission: "schema:read" },
  "POST /subjects/:subject/versions/:version/tags": { answer: changeVersion, permission: "schema:write" },
  "POST /subjects/:subject/versions/:version/rules/execute": {
    answer: executeVersionRules,
    permission: "schema:validate",
  },
  "POST /compatibility/subjects/:subject/versions": { answer: checkAgainstSubject, permission: "compatibility:check" },
  "POST /compatibility/subjects/:subject/versions/:version": {
    answer: checkAgainstVersion,
    permission: "compatibility:check",
  },
  "GET /config": { answer: getConfig, permission: "compatibility:config:read" },
  "PUT /config": { answer: putConfig, permission: "compatibility:config:write" },
  "DELETE /config": { answer: deleteConfig, permission: "compatibility:config:write" },
  "GET /config/:subject": { answer: getConfig, permission: "compatibility:config:read" },
  "PUT /config/:subject": { answer: putConfig, permission: "compatibility:config:write" },
  "DELETE /config/:subject": { answer: deleteConfig, permission: "compatibility:config:write" },
  "GET /mode": { answer: getMode, permission: "compatibility:config:read" },
  "PUT /mode": { answer: putMode, permission: "admin:config" },
  "DELETE /mode": { answer: deleteMode, permission: "admin:config" },
  "GET /mode/:subject": { answer: getMode, permission: "compatibility:config:read" },
  "PUT /mode/:subject": { answer: putMode, permission: "admin:config" },
  "DELETE /mode/:subject": { answer: deleteMode, permission: "admin:config" },
  "GET /associations/subjects/:subject": { answer: getSubjectAssociations, permission: "subject:read" },
  "GET /associations/resources/:resource": { answer: getResourceAssociations, permission: "subject:read" },
  "PUT /associations/resources/:resource": { answer: putAssociations, permission: "subject:write" },
  "DELETE /associations/resources/:resource": { answer: removeAssociations, permission: "subject:delete" },
  "GET /associations/resources/:namespace/:name": { answer: getNamedResourceAssociations, permission: "subject:read" },
  "POST /associations": { answer: createAssociations, permission: "subject:write" },
  "POST /associations:batchGet": { answer: getBatch, permission: "subject:read" },
  "POST /associations:batchMutate": { answer: mutateBatch, permission: "subject:delete" },
  "GET /contexts": { answer: getContexts, permission: "subject:read" },
  "DELETE /contexts/:context": { answer: deleteContext, permission: "subject:delete" },
  // Paths under a context that could not be rewritten; all of them are refused.
  "GET /contexts/:context/*": { answer: refuseContextPath, permission: "public" },
  "POST /contexts/:context/*": { answer: refuseContextPath, permission: "public" },
  "PUT /contexts/:context/*": { answer: refuseContextPath, permission: "public" },
  "DELETE /contexts/:context/*": { answer: refuseContextPath, permission: "public" },
};

export const confluentRoutes: readonly Route[] = Object.entries(ROUTES).map(([key, { answer, permission }]) => ({
  ...splitRouteKey(key),
  permission,
  produces: key === "GET /" ? ROOT_MEDIA_TYPES : CONFLUENT_MEDIA_TYPES,
  answer(call) {
    call.edge.hidesArtefacts = true;
    return answer(confluentRequest(call));
  },
}));
