/**
 * Operator settings, read from the environment's vars in one place, so that an invalid value fails with its own name.
 */
import { parseSigningSeeds } from "../durable-objects/primary/checkpoints/checkpoints.ts";
import { parseUrlRules, type UrlRules } from "../durable-objects/webhooks/address.ts";
import { parseResolver } from "../durable-objects/webhooks/resolution.ts";
import { parseSigningKey } from "../durable-objects/webhooks/signing.ts";
import { COMPATIBILITY_LEVELS, type CompatibilityLevel } from "../schema/compatibility.ts";
import { ACCESS_VAR_NAMES, type AccessSettings, type AccessVars, parseAccessSettings } from "./access/settings.ts";
import type { LeaseStore } from "./limits/limiter.ts";
import { redisLeases } from "./limits/redis.ts";
import { type PromotionTarget, parsePromotionTargets } from "./promotion-targets.ts";

const ENVIRONMENTS = ["local", "staging", "production"] as const;
type Environment = (typeof ENVIRONMENTS)[number];

/** Selects which requests are logged. `writes` also logs failures (5xx). */
const REQUEST_LOGS = ["none", "failures", "writes", "all"] as const;
export type RequestLog = (typeof REQUEST_LOGS)[number];

export type Settings = {
  environment: Environment;
  /** The compatibility level if the global config sets none. */
  defaultCompatibilityLevel: CompatibilityLevel;
  /** The Confluent release whose behaviour the Confluent API follows; it determines a few response forms and codes. */
  confluentApiLevel: ConfluentApiLevel;
  /** Maximum age of positive responses to clients without consistency headers; 0 = strict. */
  confluentStalenessSeconds: number;
  requestLog: RequestLog;
  /** The secret from which webhook signing keys are derived; without it webhooks are disabled. */
  webhookSigningKey: Uint8Array | undefined;
  /** The origins that webhooks may use. */
  webhookUrls: UrlRules;
  access: AccessSettings;
  /** The store shared for request limits; undefined: each isolate limits separately. */
  leases: LeaseStore | undefined;
  /** Whether checkpoints of the log are signed. */
  signsCheckpoints: boolean;
  accessRecordRetentionDays: number;
  /** How long the read model keeps log entries; undefined: as long as the log. */
  readModelAuditDays: number | undefined;
  /** The registries that versions may be promoted to. */
  promotionTargets: readonly PromotionTarget[];
  /** How long the data of a deleted tenant is kept. */
  tenantPurgeAfterDays: number;
};

export type ConfluentApiLevel = { major: number; minor: number };

export type Vars = AccessVars & {
  ENVIRONMENT: string;
  DEFAULT_COMPATIBILITY_LEVEL: string;
  CONFLUENT_API_LEVEL: string;
  CONFLUENT_STALENESS_SECONDS: string;
  /** Absent: `failures`. */
  REQUEST_LOG?: string;
  /** A secret: base64 of at least 32 random bytes. Absent: there are no webhooks. */
  WEBHOOK_SIGNING_KEY?: string;
  /** Comma-separated. Absent: every public https address. */
  WEBHOOK_ALLOWED_ORIGINS?: string;
  /** A DNS-over-HTTPS resolver with JSON answers. Absent: names of webhooks are not resolved in advance. */
  WEBHOOK_RESOLVER?: string;
  /** A secret: base64 of 32 random bytes each, comma-separated, the newest first. Absent: no checkpoint is signed. */
  CHECKPOINT_SIGNING_KEYS?: string;
  /**
   * The name of the deployment's logs in checkpoints, such as `registry.example.com`, followed by a slash and the
   * tenant.
   */
  LOG_ORIGIN?: string;
  /** How long the read model keeps log entries for the audit. Absent: as long as the log does. */
  READ_MODEL_AUDIT_DAYS?: string;
  /** A secret: JSON from names of other registries to `{url, key, tenant?}`. Absent: there are none. */
  PROMOTION_TARGETS?: string;
  /** How long denied attempts are kept. Absent: 90 days. */
  ACCESS_RECORD_RETENTION_DAYS?: string;
  /** Days from the deletion of a tenant until its data is purged. Absent: 30. */
  TENANT_PURGE_AFTER_DAYS?: string;
};

/** The same names, for code that passes on an operator's environment. */
export const VAR_NAMES: readonly (keyof Vars)[] = [
  ...ACCESS_VAR_NAMES,
  ...(Object.keys({
    ENVIRONMENT: true,
    DEFAULT_COMPATIBILITY_LEVEL: true,
    CONFLUENT_API_LEVEL: true,
    CONFLUENT_STALENESS_SECONDS: true,
    REQUEST_LOG: true,
    WEBHOOK_SIGNING_KEY: true,
    WEBHOOK_ALLOWED_ORIGINS: true,
    WEBHOOK_RESOLVER: true,
    CHECKPOINT_SIGNING_KEYS: true,
    LOG_ORIGIN: true,
    ACCESS_RECORD_RETENTION_DAYS: true,
    PROMOTION_TARGETS: true,
    READ_MODEL_AUDIT_DAYS: true,
    TENANT_PURGE_AFTER_DAYS: true,
  } satisfies Record<Exclude<keyof Vars, keyof AccessVars>, true>) as (keyof Vars)[]),
];

/** Maximum age of records for any caller. */
export const MAX_CONFLUENT_STALENESS_SECONDS = 60;

/** A quarter: long enough to look into an incident, short enough for personal data. */
const DEFAULT_ACCESS_RECORD_RETENTION_DAYS = 90;
/** A deletion that was a mistake is noticed within a month. */
const DEFAULT_TENANT_PURGE_AFTER_DAYS = 30;
/** Ten years, the longest that auditors ask for. */
export const MAX_RETENTION_DAYS = 3_650;

export function parseSettings(vars: Vars): Settings {
  // Only deliveries use it, which would be too late to say that it is wrong.
  parseResolver(vars.WEBHOOK_RESOLVER);
  const environment = requireOneOf("ENVIRONMENT", vars.ENVIRONMENT, ENVIRONMENTS);
  return {
    environment,
    defaultCompatibilityLevel: requireOneOf(
      "DEFAULT_COMPATIBILITY_LEVEL",
      vars.DEFAULT_COMPATIBILITY_LEVEL,
      COMPATIBILITY_LEVELS,
    ),
    confluentApiLevel: apiLevel("CONFLUENT_API_LEVEL", vars.CONFLUENT_API_LEVEL),
    confluentStalenessSeconds: secondsUpTo(
      "CONFLUENT_STALENESS_SECONDS",
      vars.CONFLUENT_STALENESS_SECONDS,
      MAX_CONFLUENT_STALENESS_SECONDS,
    ),
    requestLog: requireOneOf("REQUEST_LOG", vars.REQUEST_LOG ?? "failures", REQUEST_LOGS),
    webhookSigningKey: parseSigningKey(vars.WEBHOOK_SIGNING_KEY),
    webhookUrls: parseUrlRules(vars.WEBHOOK_ALLOWED_ORIGINS),
    access: parseAccessSettings(vars, environment),
    leases: parseLeases(vars),
    signsCheckpoints: isLogOrigin(vars.LOG_ORIGIN) && parseSigningSeeds(vars.CHECKPOINT_SIGNING_KEYS).length > 0,
    readModelAuditDays: vars.READ_MODEL_AUDIT_DAYS
      ? daysUpTo("READ_MODEL_AUDIT_DAYS", vars.READ_MODEL_AUDIT_DAYS, { least: 1, most: MAX_RETENTION_DAYS })
      : undefined,
    promotionTargets: parsePromotionTargets(vars.PROMOTION_TARGETS, environment === "local"),
    accessRecordRetentionDays: daysUpTo(
      "ACCESS_RECORD_RETENTION_DAYS",
      vars.ACCESS_RECORD_RETENTION_DAYS || String(DEFAULT_ACCESS_RECORD_RETENTION_DAYS),
      { least: 1, most: MAX_RETENTION_DAYS },
    ),
    tenantPurgeAfterDays: daysUpTo(
      "TENANT_PURGE_AFTER_DAYS",
      vars.TENANT_PURGE_AFTER_DAYS || String(DEFAULT_TENANT_PURGE_AFTER_DAYS),
      { least: 0, most: MAX_RETENTION_DAYS },
    ),
  };
}

/**
 * https://c2sp.org/tlog-checkpoint: the origin is a separate line, and as a key's name contains neither spaces nor plus
 * signs.
 */
function isLogOrigin(text: string | undefined): true {
  if (text === undefined || /^[\x21-\x2a\x2c-\x7e]{0,255}$/.test(text)) return true;
  throw new Error(`LOG_ORIGIN must be a name without spaces or plus signs, got "${text}".`);
}

function parseLeases({ UPSTASH_REDIS_REST_URL: url, UPSTASH_REDIS_REST_TOKEN: token }: Vars): LeaseStore | undefined {
  if (!url && !token) return undefined;
  if (!url || !token || !/^https?:$/.test(URL.parse(url)?.protocol ?? "")) {
    throw new Error(
      "UPSTASH_REDIS_REST_URL must be an address, and UPSTASH_REDIS_REST_TOKEN its token: set both or neither.",
    );
  }
  return redisLeases(url, token);
}

function requireOneOf<T extends string>(name: string, text: string | undefined, allowed: readonly T[]): T {
  const found = allowed.find((value) => value === text);
  if (found === undefined) throw new Error(`${name} must be one of ${allowed.join(", ")}, got "${text}".`);
  return found;
}

function apiLevel(name: string, text: string | undefined): ConfluentApiLevel {
  const match = /^(\d+)\.(\d+)$/.exec(text ?? "");
  if (!match) throw new Error(`${name} must look like 8.2, got "${text}".`);
  return { major: Number(match[1]), minor: Number(match[2]) };
}

function daysUpTo(name: string, text: string, { least, most }: { least: number; most: number }): number {
  if (/^\d{1,5}$/.test(text) && Number(text) >= least && Number(text) <= most) return Number(text);
  throw new Error(`${name} must be a whole number of days from ${least} to ${most}, got "${text}".`);
}

function secondsUpTo(name: string, text: string | undefined, maximum: number): number {
  if (!/^\d+$/.test(text ?? "") || Number(text) > maximum) {
    throw new Error(`${name} must be a whole number of seconds from 0 to ${maximum}, got "${text}".`);
  }
  return Number(text);
}
