/**
 * Denied attempts, which the log never holds. Identical ones within a minute are one denial with a count. A flood of wrong
 * credentials from one address soon locks the address out, and from then on costs one row a minute.
 */
import { createHash } from "node:crypto";
import { isTenantName } from "./tenant.ts";

export type Denial = {
  /** The caller's tenant; attempts without a valid credential belong to the default tenant. */
  tenant: string;
  /** The start of the minute. */
  minuteMs: number;
  status: number;
  /** Of the native API, for both APIs. */
  code: string;
  method: string;
  /** The route's pattern, which holds nothing that the caller wrote; `*` for an address that is locked out. */
  route: string;
  /** Null also if the credential was not valid. */
  subject: string | null;
  /** The authenticated actor; null if the credential was not valid. */
  actor: string | null;
  /** `key:<id>` as claimed by a credential that was not valid. */
  credential: string | null;
  /** A keyed pseudonym, which tells addresses apart without naming them. */
  address: string | null;
  /** The address without its last bits, such as `203.0.113.0/24`. */
  network: string | null;
  count: number;
  firstAtMs: number;
  lastAtMs: number;
  /** Of the first attempt. */
  requestId: string;
};

export const DENIAL_MESSAGE_VERSION = 1;

/** One isolate's denials of a few seconds. */
export type DenialMessage = {
  v: number;
  /** Unique, so that a redelivery is recognised. */
  id: string;
  denials: readonly Denial[];
  /** Attempts that found no room in the isolate. */
  dropped: number;
};

export const MINUTE_MS = 60_000;

/** Identical attempts have the same key: 32 hex digits. */
export function denialKey(denial: Denial): string {
  const { tenant, minuteMs, status, code, method, route, subject, actor, credential, address, network } = denial;
  const identity = [tenant, minuteMs, status, code, method, route, subject, actor, credential, address, network];
  return createHash("sha256").update(JSON.stringify(identity)).digest("hex").slice(0, 32);
}

/** Adds a denial to those with the same key. */
export function mergeDenial(held: Map<string, Denial>, denial: Denial): void {
  const key = denialKey(denial);
  const known = held.get(key);
  held.set(key, known === undefined ? denial : combined(known, denial));
}

function combined(a: Denial, b: Denial): Denial {
  const [first, last] = a.firstAtMs <= b.firstAtMs ? [a, b] : [b, a];
  return { ...first, count: a.count + b.count, lastAtMs: Math.max(first.lastAtMs, last.lastAtMs) };
}

/** `newer`: written by a later build than this one, as happens during a deployment. Undefined: not such a message. */
export function parseDenialMessage(body: unknown): DenialMessage | "newer" | undefined {
  const { v, id, denials, dropped } = (body ?? {}) as Partial<Record<keyof DenialMessage, unknown>>;
  if (Number.isSafeInteger(v) && (v as number) > DENIAL_MESSAGE_VERSION) return "newer";
  if (v !== DENIAL_MESSAGE_VERSION || typeof id !== "string" || !/^[\w-]{1,64}$/.test(id)) return undefined;
  if (!Array.isArray(denials) || !denials.every(isDenial) || !Number.isSafeInteger(dropped)) return undefined;
  return { v, id, denials, dropped: dropped as number };
}

const isText = (value: unknown) => typeof value === "string";
const isTextOrNull = (value: unknown) => value === null || typeof value === "string";
const isCount = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0;

const MEMBERS: Readonly<Record<keyof Denial, (value: unknown) => boolean>> = {
  tenant: (value) => typeof value === "string" && isTenantName(value),
  minuteMs: isCount,
  status: isCount,
  code: isText,
  method: isText,
  route: isText,
  subject: isTextOrNull,
  actor: isTextOrNull,
  credential: isTextOrNull,
  address: isTextOrNull,
  network: isTextOrNull,
  count: isCount,
  firstAtMs: isCount,
  lastAtMs: isCount,
  requestId: isText,
};

function isDenial(value: unknown): value is Denial {
  if (typeof value !== "object" || value === null) return false;
  return Object.entries(MEMBERS).every(([name, isValid]) => isValid((value as Record<string, unknown>)[name]));
}
