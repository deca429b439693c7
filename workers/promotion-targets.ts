/** The registries that versions may be promoted to: PROMOTION_TARGETS. */
import { parseApiKey } from "../registry/api-key.ts";
import { DEFAULT_TENANT } from "../registry/permission.ts";
import { isTenantName } from "../registry/tenant.ts";

export type PromotionTarget = {
  name: string;
  /** The tenant that may promote there. */
  tenant: string;
  /** Without a slash at the end. */
  url: string;
  key: string;
};

export const MAX_PROMOTION_TARGETS = 32;
const TARGET_NAME = /^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$/;
const MEMBERS = ["url", "key", "tenant"];

/** A JSON object from names to `{url, key, tenant?}`. Messages never repeat a key. */
export function parsePromotionTargets(text: string | undefined, isLocal: boolean): PromotionTarget[] {
  if (text === undefined || text === "") return [];
  let listed: unknown;
  try {
    listed = JSON.parse(text);
  } catch {
    listed = undefined;
  }
  if (typeof listed !== "object" || listed === null || Array.isArray(listed)) {
    throw new Error(
      'PROMOTION_TARGETS must be a JSON object such as {"production": {"url": "https://…", "key": "llmsr_…"}}.',
    );
  }
  const entries = Object.entries(listed);
  if (entries.length > MAX_PROMOTION_TARGETS) {
    throw new Error(`PROMOTION_TARGETS may list at most ${MAX_PROMOTION_TARGETS} registries.`);
  }
  return entries.map(([name, target]) => parseTarget(name, target, isLocal));
}

function parseTarget(name: string, target: unknown, isLocal: boolean): PromotionTarget {
  const place = `PROMOTION_TARGETS.${name}`;
  if (!TARGET_NAME.test(name)) {
    throw new Error(`PROMOTION_TARGETS names a registry "${name}" (expected lower-case letters, digits and hyphens).`);
  }
  if (typeof target !== "object" || target === null) throw new Error(`${place} must be an object.`);
  const { url, key, tenant = DEFAULT_TENANT, ...others } = target as Record<string, unknown>;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined)
    throw new Error(`${place} has an unknown member "${unknown}"; known: ${MEMBERS.join(", ")}.`);
  if (typeof tenant !== "string" || !isTenantName(tenant)) throw new Error(`${place}.tenant must be a tenant's name.`);
  if (typeof key !== "string" || parseApiKey(key) === undefined) throw new Error(`${place}.key must be an API key.`);
  return { name, tenant, key, url: parseUrl(url, place, isLocal) };
}

/** Over https, because the key travels with every request; http only locally. */
function parseUrl(url: unknown, place: string, isLocal: boolean): string {
  const parsed = typeof url === "string" ? URL.parse(url) : null;
  const isSafe = parsed?.protocol === "https:" || (isLocal && parsed?.protocol === "http:");
  if (!isSafe || parsed === null || parsed.search !== "" || parsed.hash !== "" || parsed.username !== "") {
    throw new Error(`${place}.url must be an https URL such as https://registry.example.com.`);
  }
  return parsed.href.replace(/\/+$/, "");
}
