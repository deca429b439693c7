// The registries' URLs, and unique names per run.
import { randomUUID } from "node:crypto";

export const url = process.env.REGISTRY_URL ?? "http://127.0.0.1:8080";

/** A registry that asks for credentials, with the id and the secret of a key as user and password; undefined if there is none. */
export function guardedRegistry() {
  const { GUARDED_REGISTRY_URL, GUARDED_REGISTRY_USER_INFO } = process.env;
  if (!GUARDED_REGISTRY_URL || !GUARDED_REGISTRY_USER_INFO) return undefined;
  const [username, password] = GUARDED_REGISTRY_USER_INFO.split(":");
  return { url: GUARDED_REGISTRY_URL, username, password };
}

export function unique(name) {
  return `${name}-${randomUUID().slice(0, 8)}`;
}
