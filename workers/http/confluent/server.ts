/** The root and `/v1/metadata`: what a client asks of the server itself (specs: Confluent contract §5.1). */
import type { Answer } from "../answer.ts";
import { asksForPage } from "./media-types.ts";
import { answerJson, type ConfluentRequest, readFields } from "./request.ts";

/** A person who opens the address in a browser is led to the documentation. */
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

/** The tenant is the cluster: clients use its id to tell two registries apart. */
export function getClusterId(request: ConfluentRequest): Answer {
  const clusters = { "kafka-cluster": request.caller.tenant, "schema-registry-cluster": "schema-registry" };
  return answerJson(request, { scope: { path: [], clusters }, id: "" });
}

/** The release whose contract is spoken; there is no commit of it here. */
export function getServerVersion(request: ConfluentRequest): Answer {
  const { major, minor } = request.edge.settings.confluentApiLevel;
  return answerJson(request, { version: `${major}.${minor}.0`, commitId: "" });
}

export function getDeployment(request: ConfluentRequest): Answer {
  return answerJson(request, { attributes: [] });
}
