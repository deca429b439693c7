/** The Confluent API at the root path; `/contexts/{c}/…` is rewritten to these before it is routed. */
import type { Answer } from "../answer.ts";
import type { Route } from "../call.ts";
import {
  createAssociations,
  getBatch,
  getNamedResourceAssociations,
  getResourceAssociations,
  getSubjectAssociations,
  mutateBatch,
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

type AnswerConfluent = (request: ConfluentRequest) => Promise<Answer> | Answer;

const HANDLERS: Readonly<Record<string, AnswerConfluent>> = {
  "GET /": getRoot,
  "POST /": postRoot,
  "GET /v1/metadata/id": getClusterId,
  "GET /v1/metadata/version": getServerVersion,
  "GET /v1/metadata/deployment": getDeployment,
  "GET /schemas": getSchemas,
  "GET /schemas/types": getSchemaTypes,
  "GET /schemas/ids/:id": getSchemaById,
  "GET /schemas/ids/:id/schema": getSchemaTextById,
  "GET /schemas/ids/:id/subjects": getSubjectsOfId,
  "GET /schemas/ids/:id/versions": getVersionsOfId,
  "GET /schemas/guids/:guid": getSchemaByGuid,
  "GET /schemas/guids/:guid/ids": getIdsOfGuid,
  "GET /subjects": getSubjects,
  "POST /subjects/:subject": lookUpSchema,
  "DELETE /subjects/:subject": removeSubject,
  "GET /subjects/:subject/metadata": getVersionWithMetadata,
  "GET /subjects/:subject/versions": getVersions,
  "POST /subjects/:subject/versions": registerSchema,
  "GET /subjects/:subject/versions/:version": getVersion,
  "DELETE /subjects/:subject/versions/:version": removeVersion,
  "GET /subjects/:subject/versions/:version/schema": getVersionText,
  "GET /subjects/:subject/versions/:version/referencedby": getReferencedBy,
  "POST /subjects/:subject/versions/:version/tags": changeVersion,
  "POST /subjects/:subject/versions/:version/rules/execute": executeVersionRules,
  "POST /compatibility/subjects/:subject/versions": checkAgainstSubject,
  "POST /compatibility/subjects/:subject/versions/:version": checkAgainstVersion,
  "GET /config": getConfig,
  "PUT /config": putConfig,
  "DELETE /config": deleteConfig,
  "GET /config/:subject": getConfig,
  "PUT /config/:subject": putConfig,
  "DELETE /config/:subject": deleteConfig,
  "GET /mode": getMode,
  "PUT /mode": putMode,
  "DELETE /mode": deleteMode,
  "GET /mode/:subject": getMode,
  "PUT /mode/:subject": putMode,
  "DELETE /mode/:subject": deleteMode,
  "GET /associations/subjects/:subject": getSubjectAssociations,
  "GET /associations/resources/:resource": getResourceAssociations,
  "PUT /associations/resources/:resource": putAssociations,
  "DELETE /associations/resources/:resource": removeAssociations,
  "GET /associations/resources/:namespace/:name": getNamedResourceAssociations,
  "POST /associations": createAssociations,
  "POST /associations:batchGet": getBatch,
  "POST /associations:batchMutate": mutateBatch,
  "GET /contexts": getContexts,
  "DELETE /contexts/:context": deleteContext,
  "GET /contexts/:context/*": refuseContextPath,
  "POST /contexts/:context/*": refuseContextPath,
  "PUT /contexts/:context/*": refuseContextPath,
  "DELETE /contexts/:context/*": refuseContextPath,
};

export const confluentRoutes: readonly Route[] = Object.entries(HANDLERS).map(([key, answer]) => {
  const space = key.indexOf(" ");
  return {
    method: key.slice(0, space) as Route["method"],
    path: key.slice(space + 1),
    produces: key === "GET /" ? ROOT_MEDIA_TYPES : CONFLUENT_MEDIA_TYPES,
    answer: (call) => answer(confluentRequest(call)),
  };
});
