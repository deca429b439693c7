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
  "GET /v1/metadata/id": { answer: getClusterId, permission: "registry:read" },
  "GET /v1/metadata/version": { answer: getServerVersion, permission: "registry:read" },
  "GET /v1/metadata/deployment": { answer: getDeployment, permission: "registry:read" },
  "GET /schemas": { answer: getSchemas, permission: "registry:read" },
  "GET /schemas/types": { answer: getSchemaTypes, permission: "registry:read" },
  "GET /schemas/ids/:id": { answer: getSchemaById, permission: "registry:read" },
  "GET /schemas/ids/:id/schema": { answer: getSchemaTextById, permission: "registry:read" },
  "GET /schemas/ids/:id/subjects": { answer: getSubjectsOfId, permission: "registry:read" },
  "GET /schemas/ids/:id/versions": { answer: getVersionsOfId, permission: "registry:read" },
  "GET /schemas/guids/:guid": { answer: getSchemaByGuid, permission: "registry:read" },
  "GET /schemas/guids/:guid/ids": { answer: getIdsOfGuid, permission: "registry:read" },
  "GET /subjects": { answer: getSubjects, permission: "registry:read" },
  "POST /subjects/:subject": { answer: lookUpSchema, permission: "registry:read" },
  "DELETE /subjects/:subject": { answer: removeSubject, permission: "schema:delete" },
  "GET /subjects/:subject/metadata": { answer: getVersionWithMetadata, permission: "registry:read" },
  "GET /subjects/:subject/versions": { answer: getVersions, permission: "registry:read" },
  "POST /subjects/:subject/versions": { answer: registerSchema, permission: "schema:write" },
  "GET /subjects/:subject/versions/:version": { answer: getVersion, permission: "registry:read" },
  "DELETE /subjects/:subject/versions/:version": { answer: removeVersion, permission: "schema:delete" },
  "GET /subjects/:subject/versions/:version/schema": { answer: getVersionText, permission: "registry:read" },
  "GET /subjects/:subject/versions/:version/referencedby": { answer: getReferencedBy, permission: "registry:read" },
  "POST /subjects/:subject/versions/:version/tags": { answer: changeVersion, permission: "schema:write" },
  "POST /subjects/:subject/versions/:version/rules/execute": {
    answer: executeVersionRules,
    permission: "schema:check",
  },
  "POST /compatibility/subjects/:subject/versions": { answer: checkAgainstSubject, permission: "schema:check" },
  "POST /compatibility/subjects/:subject/versions/:version": {
    answer: checkAgainstVersion,
    permission: "schema:check",
  },
  "GET /config": { answer: getConfig, permission: "config:read" },
  "PUT /config": { answer: putConfig, permission: "config:write" },
  "DELETE /config": { answer: deleteConfig, permission: "config:write" },
  "GET /config/:subject": { answer: getConfig, permission: "config:read" },
  "PUT /config/:subject": { answer: putConfig, permission: "config:write" },
  "DELETE /config/:subject": { answer: deleteConfig, permission: "config:write" },
  "GET /mode": { answer: getMode, permission: "mode:read" },
  "PUT /mode": { answer: putMode, permission: "mode:write" },
  "DELETE /mode": { answer: deleteMode, permission: "mode:write" },
  "GET /mode/:subject": { answer: getMode, permission: "mode:read" },
  "PUT /mode/:subject": { answer: putMode, permission: "mode:write" },
  "DELETE /mode/:subject": { answer: deleteMode, permission: "mode:write" },
  "GET /associations/subjects/:subject": { answer: getSubjectAssociations, permission: "registry:read" },
  "GET /associations/resources/:resource": { answer: getResourceAssociations, permission: "registry:read" },
  "PUT /associations/resources/:resource": { answer: putAssociations, permission: "schema:write" },
  "DELETE /associations/resources/:resource": { answer: removeAssociations, permission: "schema:delete" },
  "GET /associations/resources/:namespace/:name": { answer: getNamedResourceAssociations, permission: "registry:read" },
  "POST /associations": { answer: createAssociations, permission: "schema:write" },
  "POST /associations:batchGet": { answer: getBatch, permission: "registry:read" },
  "POST /associations:batchMutate": { answer: mutateBatch, permission: "schema:delete" },
  "GET /contexts": { answer: getContexts, permission: "registry:read" },
  "DELETE /contexts/:context": { answer: deleteContext, permission: "schema:delete" },
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
  answer: (call) => answer(confluentRequest(call)),
}));
