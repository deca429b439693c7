/** What the access record says of a refused request: who was refused what, and neither its body nor its query. */
import { ERRORS, type ErrorName } from "../../../contract/errors.ts";
import { type Denial, MINUTE_MS } from "../../../registry/denial.ts";
import { DEFAULT_TENANT } from "../../../registry/permission.ts";
import { MAX_SUBJECT_CHARACTERS, printSubjectName } from "../../../schema/subject-name.ts";
import type { Access } from "../../access/access.ts";
import { networkOf } from "../../access/address-range.ts";
import { addressPseudonym } from "../../access/key-hash.ts";
import type { Actor } from "../../edge.ts";
import { parseSubject } from "../../registry/read/subject-names.ts";
import type { Settings } from "../../settings.ts";
import { parseCredential } from "./credential.ts";

type Refused = {
  request: Request;
  route: { method: string; path: string };
  /** Undefined for a route without one. */
  subject: string | undefined;
  settings: Settings;
  actor: Actor | undefined;
  access: Access | undefined;
  refusedAs: ErrorName | undefined;
  /** Too many wrong credentials came from the address. */
  isLockedOut: boolean;
  requestId: string;
  nowMs: number;
};

/** Undefined if the refusal is not a denial of access, such as of an unknown subject. */
export function deniedAttempt(refused: Refused, status: number): Denial | undefined {
  const { request, route, actor, refusedAs, requestId, nowMs } = refused;
  if (!isDenied(refused, status)) return undefined;
  const ip = request.headers.get("CF-Connecting-IP");
  const { hashKey } = refused.settings.access;
  return {
    tenant: actor?.tenant ?? DEFAULT_TENANT,
    minuteMs: nowMs - (nowMs % MINUTE_MS),
    status,
    code: refusedAs === undefined ? "" : ERRORS[refusedAs].code,
    method: route.method,
    route: route.path,
    subject: subjectOf(refused),
    actor: actor?.actor ?? null,
    credential: actor === undefined ? claimedKey(request) : null,
    address: ip === null || hashKey === undefined ? null : addressPseudonym(hashKey, ip),
    network: ip === null ? null : (networkOf(ip) ?? null),
    count: 1,
    firstAtMs: nowMs,
    lastAtMs: nowMs,
    requestId,
  };
}

/** Every status that denies access; quotas and other limits are no denial of access. */
function isDenied({ access, refusedAs, isLockedOut }: Refused, status: number): boolean {
  switch (status) {
    case 401:
      return true;
    case 403:
      return refusedAs !== "QUOTA_REACHED";
    case 404:
      return access?.hasWithheld === true;
    case 429:
      return isLockedOut;
    default:
      return false;
  }
}

function claimedKey(request: Request): string | null {
  const credential = parseCredential(request.headers);
  return credential.type === "key" ? `key:${credential.keyId}` : null;
}

/** The qualified name, as in log entries; null if it is not a name. */
function subjectOf({ subject, request }: Refused): string | null {
  if (subject === undefined) return null;
  const context = URL.parse(request.url)?.searchParams.get("context") ?? undefined;
  const parsed = parseSubject(subject, context);
  if (!parsed.ok || parsed.value.subject.length > MAX_SUBJECT_CHARACTERS) return null;
  return parsed.value.context.length > MAX_SUBJECT_CHARACTERS ? null : printSubjectName(parsed.value);
}
