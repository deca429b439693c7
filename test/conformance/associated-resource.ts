/** A resource outside the registry, one for each test, and the calls that associate it with subjects. */
import { beforeEach } from "vitest";
import { type Answer, error, type Registry, record, unique } from "./registry.ts";

export function useResource(registry: Registry) {
  /** `standard` is the subject of the resource's frozen associations. */
  const own = { topic: "", resourceId: "", namespace: "", standard: "" };

  beforeEach(() => {
    own.topic = unique("topic");
    own.resourceId = unique("resource");
    own.namespace = unique("cluster");
    own.standard = `:.${own.namespace}:${own.topic}-value`;
  });

  const resource = () => ({
    resourceName: own.topic,
    resourceNamespace: own.namespace,
    resourceId: own.resourceId,
    resourceType: "topic",
  });
  const pathOf = (query = "") => `/associations/resources/${own.resourceId}${query}`;
  const body = (...associations: object[]) => ({ ...resource(), associations });
  const create = (...associations: object[]) => registry.post("/associations", body(...associations));
  return {
    own,
    resource,
    body,
    create,
    upsert: (...associations: object[]) => registry.put(pathOf(), body(...associations)),
    remove: (query?: string) => registry.delete(pathOf(query)),
    versionsOf: async (subject: string) =>
      (await registry.get(`/subjects/${encodeURIComponent(subject)}/versions`)).body,
    ofResource: async (query?: string) => (await registry.get(pathOf(query))).body as { associationType: string }[],
    /** Registers a schema under a subject, then associates it. */
    async associate(subject: string, more: object = {}): Promise<Answer> {
      await registry.register(subject, record("a"));
      return create({ subject, associationType: "value", ...more });
    },
  };
}

export const invalid = (property: string) =>
  error(42212, new RegExp(`^The association specified an invalid value for property: '${property}', detail: .`));
