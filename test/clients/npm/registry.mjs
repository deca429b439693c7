// The registry's URL, and unique names per run.
import { randomUUID } from "node:crypto";

export const url = process.env.REGISTRY_URL ?? "http://127.0.0.1:8080";

export function unique(name) {
  return `${name}-${randomUUID().slice(0, 8)}`;
}
