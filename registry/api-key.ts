/** The text of an API key: `llmsr_<tenant>_<key id>_<secret>`. A fixed form allows secret scanners to detect it. */
import { isTenantName } from "./tenant.ts";

const PREFIX = "llmsr_";
/** 8 random bytes: ids are public, and a collision only costs another attempt. */
export const KEY_ID_BYTES = 8;
/** 256 bits. A hash without salt or stretching suffices for a random secret. */
export const SECRET_BYTES = 32;
const KEY_ID = /^[0-9a-f]{16}$/;
const SECRET = /^[0-9a-f]{64}$/;

type ApiKeyText = { tenant: string; keyId: string; secret: string };

export function isKeyId(text: string): boolean {
  return KEY_ID.test(text);
}

export function isKeySecret(text: string): boolean {
  return SECRET.test(text);
}

export function printApiKey({ tenant, keyId, secret }: ApiKeyText): string {
  return `${PREFIX}${tenant}_${keyId}_${secret}`;
}

/** Undefined if the text does not have the form of a key. */
export function parseApiKey(text: string): ApiKeyText | undefined {
  if (!text.startsWith(PREFIX)) return undefined;
  const [tenant = "", keyId = "", secret = "", ...rest] = text.slice(PREFIX.length).split("_");
  if (rest.length > 0 || !isTenantName(tenant) || !isKeyId(keyId) || !isKeySecret(secret)) return undefined;
  return { tenant, keyId, secret };
}
