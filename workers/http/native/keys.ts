/** `/keys`: the API keys of a tenant. */
import { makeRefusal } from "../../../contract/errors.ts";
import type { ApiKey } from "../../../registry/grant.ts";
import { timestamp } from "../../../registry/record-view.ts";
import {
  askDirectory,
  createKey,
  type KeyChanges,
  revokeKey,
  rotateKey,
  updateKey,
} from "../../access/administration.ts";
import { type Answer, jsonAnswer } from "../answer.ts";
import { RegistryError, requireOk } from "../errors.ts";
import {
  grantJson,
  pageJson,
  parseExpiry,
  parseGrants,
  parseListPage,
  timeOrNull,
  toAdministrator,
} from "./access-fields.ts";
import type { NativeRequest } from "./request.ts";
import type { Shape } from "./shapes.ts";

/** A seventh of the maximum overlap of secrets: time to roll out, and to notice forgotten uses. */
const DEFAULT_OVERLAP_SECONDS = 24 * 60 * 60;

export async function postKey(request: NativeRequest): Promise<Answer> {
  const field = request.body as Shape<"NewKey">;
  const { key, text } = requireOk(
    await createKey(toAdministrator(request), {
      name: field.name,
      grants: parseGrants(field.grants),
      scopes: field.scopes ?? null,
      requestsPerMinute: field.requests_per_minute ?? null,
      expiresAtMs: parseExpiry(field.expires_at ?? null),
    }),
  );
  return text === undefined
    ? jsonAnswer<Shape<"ApiKey">>(200, keyJson(key))
    : jsonAnswer<Shape<"CreatedKey">>(201, { ...keyJson(key), key: text });
}

export async function listKeys(request: NativeRequest): Promise<Answer> {
  const page = parseListPage(request);
  const keys = requireOk(await askDirectory(request.edge, "keys", { tenant: request.edge.tenant, ...page }));
  return jsonAnswer<Shape<"KeyPage">>(200, {
    items: keys.map(keyJson),
    ...pageJson(keys, page.limit, ({ id }) => id),
  });
}

export async function getKey({ edge, path }: NativeRequest): Promise<Answer> {
  const id = path.key!;
  const key = requireOk(await askDirectory(edge, "key", { tenant: edge.tenant, id }));
  if (key === null)
    throw new RegistryError(makeRefusal("KEY_NOT_FOUND", [id], `There is no key ${id} in this tenant.`));
  return jsonAnswer<Shape<"ApiKey">>(200, keyJson(key));
}

export async function patchKey(request: NativeRequest): Promise<Answer> {
  const field = request.body as Shape<"KeyChanges">;
  const changes: KeyChanges = {
    ...(field.name === undefined ? {} : { name: field.name }),
    ...(field.grants === undefined ? {} : { grants: parseGrants(field.grants) }),
    ...(field.scopes === undefined ? {} : { scopes: field.scopes }),
    ...(field.requests_per_minute === undefined ? {} : { requestsPerMinute: field.requests_per_minute }),
    ...(field.expires_at === undefined ? {} : { expiresAtMs: parseExpiry(field.expires_at) }),
  };
  const { key } = requireOk(await updateKey(toAdministrator(request), request.path.key!, changes));
  return jsonAnswer<Shape<"ApiKey">>(200, keyJson(key));
}

export async function deleteKey(request: NativeRequest): Promise<Answer> {
  const { key } = requireOk(await revokeKey(toAdministrator(request), request.path.key!));
  return jsonAnswer<Shape<"ApiKey">>(200, keyJson(key));
}

export async function postKeyRotation(request: NativeRequest): Promise<Answer> {
  const { overlap_seconds: overlap = DEFAULT_OVERLAP_SECONDS } = request.body as Shape<"Rotation">;
  const { key, text } = requireOk(await rotateKey(toAdministrator(request), request.path.key!, overlap));
  return jsonAnswer<Shape<"RotatedKey">>(200, { ...keyJson(key), ...(text === undefined ? {} : { key: text }) });
}

function keyJson(key: ApiKey): Shape<"ApiKey"> {
  return {
    id: key.id,
    name: key.name,
    grants: key.grants.map(grantJson),
    scopes: key.scopes,
    requests_per_minute: key.requestsPerMinute,
    created_at: timestamp(key.createdAtMs),
    created_by: key.createdBy,
    expires_at: timeOrNull(key.expiresAtMs),
    revoked_at: timeOrNull(key.revokedAtMs),
    last_used_at: timeOrNull(key.lastUsedAtMs),
    secrets: key.secrets.map(({ createdAtMs, endsAtMs }) => ({
      created_at: timestamp(createdAtMs),
      ends_at: timeOrNull(endsAtMs),
    })),
  };
}
