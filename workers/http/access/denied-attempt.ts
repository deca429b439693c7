/**
 * What the access record keeps of a refused request: who was refused what, never the body or the query. A caller without
 * a valid credential adds little of its own choosing to it, so that a flood stays a few rows.
 */
import { ERRORS, type ErrorName } from "../../../contract/errors.ts";
import { type Denial, MINUTE_MS } from "../../../registry/denial.ts";
import { DEFAULT_TENANT } from "../../../registry/permission.ts";
import { printSubjectName, subjectNameProblem } from "../../../schema/subject-name.ts";
import type { Access } from "../../access/access.ts";
import { assignedAddress, maskAddress } from "../../access/address-range.ts";
import { addressPseudonym } from "../../access/key-hash.ts";
import type { Actor } from "../../edge.ts";
import { parseSubject } from "../../registry/read/subject-names.ts";
import type { Settings } from "../../settings.ts";
import { callerAddress } from "./caller-address.ts";
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
  const { request, actor, refusedAs, requestId, nowMs } = refused;
  if (!isDenied(refused, status)) return undefined;
  const ip = callerAddress(request, refused.settings.access);
  const { hashKey } = refused.settings.access;
  return {
    tenant: actor?.tenant ?? DEFAULT_TENANT,
    minuteMs: nowMs - (nowMs % MINUTE_MS),
    status,
    code: refusedAs === undefined ? "" : ERRORS[refusedAs].code,
    ...describeAttempt(refused),
    actor: actor?.actor ?? null,
    address: ip === undefined || hashKey === undefined ? null : addressPseudonym(hashKey, assignedAddress(ip)),
    network: ip === undefined ? null : (maskAddress(ip) ?? null),
    count: 1,
    firstAtMs: nowMs,
    lastAtMs: nowMs,
    requestId,
  };
}

/** Every status that denies access; quotas and other limits do not count as denials of access. */
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

/**
 * What was attempted. A subject would be a row per invented name, so it is left out without an actor. An address that is
 * locked out chooses the route and the claimed key as well.
 */
function describeAttempt(refused: Refused): Pick<Denial, "method" | "route" | "subject" | "credential"> {
  const { request, route, actor, isLockedOut } = refused;
  if (isLockedOut) return { method: "*", route: "*", subject: null, credential: null };
  const attempted = { method: route.method, route: route.path };
  return actor === undefined
    ? { ...attempted, subject: null, credential: claimedKey(request) }
    : { ...attempted, subject: readSubjectName(refused), credential: null };
}

function claimedKey(request: Request): string | null {
  const credential = parseCredential(request.headers);
  return credential.type === "key" ? `key:${credential.keyId}` : null;
}

/** The qualified name, as in log entries; null if it is not a name. */
function readSubjectName({ subject, request }: Refused): string | null {
  if (subject === undefined) return null;
  const context = URL.parse(request.url)?.searchParams.get("context") ?? undefined;
  const parsed = parseSubject(subject, context);
  return parsed.ok && subjectNameProblem(parsed.value) === undefined ? printSubjectName(parsed.value) : null;
}
