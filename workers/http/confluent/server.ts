/** The root and `/v1/metadata`. */
import type { Answer } from "../answer.ts";
import { asksForPage } from "./media-types.ts";
import { answerJson, type ConfluentRequest, readFields } from "./request.ts";

/** Browsers are redirected to the documentation. */
export function getRoot(request: ConfluentRequest): Answer {
  if (asksForPage(request.request.headers.get("Accept"))) {
    return { status: 302, headers: { Location: "/docs" }, body: null };
  }
  return answerJson(request, {});
}

export async function postRoot(request: ConfluentRequest): Promise<Answer> {
  await readFields(request);
  return answerJson(request, {});
}

/** Clients compare cluster ids to tell registries apart; the tenant serves as one. */
export function getClusterId(request: ConfluentRequest): Answer {
  const clusters = { "kafka-cluster": request.caller.tenant, "schema-registry-cluster": "schema-registry" };
  return answerJson(request, { scope: { path: [], clusters }, id: "" });
}

/** The release that the API reports; the commit is left empty. */
export function getServerVersion(request: ConfluentRequest): Answer {
  const { major, minor } = request.edge.settings.confluentApiLevel;
  return answerJson(request, { version: `${major}.${minor}.0`, commitId: "" });
}

export function getDeployment(request: ConfluentRequest): Answer {
  return answerJson(request, { attributes: [] });
}
