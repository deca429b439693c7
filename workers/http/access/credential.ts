/** Reads a request's credential as sent; nothing is verified here. */
import { isKeyId, isKeySecret, parseApiKey } from "../../../registry/api-key.ts";

export type Credential =
  | { type: "none" }
  /** `tenant` is part of a key's text but not of a user name; it must then be the key's tenant. */
  | { type: "key"; keyId: string; secret: string; tenant: string | undefined }
  | { type: "token"; token: string }
  | { type: "malformed"; detail: string };

/** Longer than any token with a hundred groups, and short enough to be cached for a minute. */
export const MAX_CREDENTIAL_CHARACTERS = 8_192;

const ACCEPTED =
  "Send an API key or a token as Authorization: Bearer, a key as X-API-Key, or a key id and its secret as HTTP Basic.";

/** The header with the credential, which is also the cache key; undefined if there is none, or two. */
export function credentialText(headers: Headers): string | undefined {
  const authorization = headers.get("Authorization");
  const apiKey = headers.get("X-API-Key");
  if (authorization === null) return apiKey === null ? undefined : `X-API-Key ${apiKey}`;
  return apiKey === null ? authorization : undefined;
}

export function parseCredential(headers: Headers): Credential {
  const authorization = headers.get("Authorization");
  const apiKey = headers.get("X-API-Key");
  if (authorization !== null && apiKey !== null) {
    return malformed("Two credentials were sent: Authorization and X-API-Key.");
  }
  if ((authorization ?? apiKey ?? "").length > MAX_CREDENTIAL_CHARACTERS) {
    return malformed(`A credential may have at most ${MAX_CREDENTIAL_CHARACTERS} characters.`);
  }
  if (apiKey !== null) return keyCredential(apiKey) ?? malformed("The X-API-Key header does not contain an API key.");
  if (authorization === null) return { type: "none" };
  const [, scheme = "", text = ""] = /^([A-Za-z]+) +(\S+) *$/.exec(authorization) ?? [];
  switch (scheme.toLowerCase()) {
    case "bearer":
      return keyCredential(text) ?? tokenCredential(text);
    case "basic":
      return basicCredential(text);
    default:
      return malformed("The Authorization header is neither Bearer nor Basic.");
  }
}

function keyCredential(text: string): Credential | undefined {
  const key = parseApiKey(text.trim());
  return key && { type: "key", ...key };
}

/** A compact JWS (RFC 7515 §7.1). */
function tokenCredential(token: string): Credential {
  return /^[\w-]+\.[\w-]+\.[\w-]+$/.test(token)
    ? { type: "token", token }
    : malformed("The bearer token is neither an API key nor a JWT.");
}

/** User and password: a key's id and its secret, or a whole key as either of them. */
function basicCredential(text: string): Credential {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text)) return malformed("The Basic credential is not base64.");
  const decoded = Buffer.from(text, "base64").toString("utf8");
  const colon = decoded.indexOf(":");
  if (colon === -1) return malformed("The Basic credential has no colon between user and password.");
  const [user, password] = [decoded.slice(0, colon), decoded.slice(colon + 1)];
  if (isKeyId(user) && isKeySecret(password)) {
    return { type: "key", keyId: user, secret: password, tenant: undefined };
  }
  const key = parseApiKey(password) ?? parseApiKey(user);
  if (key === undefined) return malformed("The Basic credential holds neither a key id and its secret nor a key.");
  const isUser = user === "" || user === key.keyId || parseApiKey(user) !== undefined;
  const isPassword = password === "" || password === key.secret || parseApiKey(password) !== undefined;
  return isUser && isPassword
    ? { type: "key", ...key }
    : malformed("The user and the password of the Basic credential belong to different keys.");
}

function malformed(detail: string): Credential {
  return { type: "malformed", detail: `${detail} ${ACCEPTED}` };
}
