import { describe, expect, it } from "vitest";
import { MAX_PROMOTION_TARGETS } from "../../workers/promotion-targets.ts";
import { MAX_CONFLUENT_STALENESS_SECONDS, MAX_RETENTION_DAYS, parseSettings } from "../../workers/settings.ts";

const VARS = {
  ENVIRONMENT: "local",
  DEFAULT_COMPATIBILITY_LEVEL: "BACKWARD",
  CONFLUENT_API_LEVEL: "8.2",
  CONFLUENT_STALENESS_SECONDS: "0",
};

const KEY = `llmsr_default_${"0".repeat(16)}_${"0".repeat(64)}`;

describe("parseSettings", () => {
  it("accepts as many registries to promote to as the limit says, over https unless it runs locally", () => {
    const targets = (count: number, url: string) =>
      JSON.stringify(Object.fromEntries(Array.from({ length: count }, (_, n) => [`r${n}`, { url, key: KEY }])));
    const with_ = (text: string, ENVIRONMENT = "local") =>
      parseSettings({ ...VARS, ENVIRONMENT, PROMOTION_TARGETS: text }).promotionTargets;

    expect(with_(targets(MAX_PROMOTION_TARGETS, "http://localhost:1/"))).toHaveLength(MAX_PROMOTION_TARGETS);
    expect(with_(targets(1, "https://a.test/"), "production")).toEqual([
      { name: "r0", url: "https://a.test", key: KEY, tenant: "default" },
    ]);
    expect(() => with_(targets(MAX_PROMOTION_TARGETS + 1, "https://a.test"))).toThrow("PROMOTION_TARGETS");
    expect(() => with_(targets(1, "http://a.test"), "production")).toThrow("PROMOTION_TARGETS");
  });

  it("reads every var", () => {
    expect(parseSettings(VARS)).toEqual({
      environment: "local",
      defaultCompatibilityLevel: "BACKWARD",
      confluentApiLevel: { major: 8, minor: 2 },
      confluentStalenessSeconds: 0,
      requestLog: "failures",
      webhookSigningKey: undefined,
      webhookUrls: { origins: new Set(), anyPublic: true },
      access: {
        isRequired: false,
        closedBecause: undefined,
        hashKey: undefined,
        firstAdministrator: undefined,
        issuers: [],
        corsOrigins: new Set(),
      },
      leases: undefined,
      signsCheckpoints: false,
      accessRecordRetentionDays: 90,
      tenantPurgeAfterDays: 30,
      readModelAuditDays: undefined,
      promotionTargets: [],
    });
    expect(parseSettings({ ...VARS, REQUEST_LOG: "writes" }).requestLog).toBe("writes");
  });

  it("accepts the largest staleness and refuses the next", () => {
    const with_ = (seconds: number) => ({ ...VARS, CONFLUENT_STALENESS_SECONDS: String(seconds) });

    expect(parseSettings(with_(MAX_CONFLUENT_STALENESS_SECONDS)).confluentStalenessSeconds).toBe(60);
    expect(() => parseSettings(with_(MAX_CONFLUENT_STALENESS_SECONDS + 1))).toThrow("CONFLUENT_STALENESS_SECONDS");
  });

  it("accepts a day and the longest retention, and refuses less and more", () => {
    const with_ = (days: number) => ({ ...VARS, ACCESS_RECORD_RETENTION_DAYS: String(days) });

    expect(parseSettings(with_(1)).accessRecordRetentionDays).toBe(1);
    expect(parseSettings(with_(MAX_RETENTION_DAYS)).accessRecordRetentionDays).toBe(MAX_RETENTION_DAYS);
    expect(parseSettings({ ...VARS, TENANT_PURGE_AFTER_DAYS: "0" }).tenantPurgeAfterDays).toBe(0);
    for (const days of [0, MAX_RETENTION_DAYS + 1, 0.5]) {
      expect(() => parseSettings(with_(days))).toThrow("ACCESS_RECORD_RETENTION_DAYS");
    }
  });

  it.each([
    ["ENVIRONMENT", "prod"],
    ["DEFAULT_COMPATIBILITY_LEVEL", "backward"],
    ["CONFLUENT_API_LEVEL", "8"],
    ["CONFLUENT_STALENESS_SECONDS", "-1"],
    ["CONFLUENT_STALENESS_SECONDS", ""],
    ["REQUEST_LOG", "some"],
    ["WEBHOOK_SIGNING_KEY", "c2hvcnQ="],
    ["WEBHOOK_ALLOWED_ORIGINS", "hooks.example.com"],
    ["WEBHOOK_RESOLVER", "cloudflare-dns.com"],
    ["WEBHOOK_RESOLVER", "http://dns.example.com/dns-query"],
    ["WEBHOOK_RESOLVER", "https://dns.example.com/dns-query?dns=x"],
    ["AUTH", "optional"],
    ["ACCESS_HASH_KEY", "c2hvcnQ="],
    ["FIRST_ADMINISTRATOR_KEY", "llmsr_default_0123456789abcdef_secret"],
    ["OIDC_ISSUERS", "https://id.example.com"],
    ["OIDC_ISSUERS", '[{"issuer": "http", "audience": "registry"}]'],
    ["OIDC_ISSUERS", '[{"issuer": "https://id.example.com"}]'],
    ["OIDC_ISSUERS", '[{"issuer": "https://id.example.com", "audience": "registry", "algorithms": ["HS256"]}]'],
    ["OIDC_ISSUERS", '[{"issuer": "https://id.example.com", "audience": "registry", "clock_skew_seconds": 301}]'],
    ["OIDC_ISSUERS", '[{"issuer": "https://id.example.com", "audience": "registry", "role": {}}]'],
    ["CORS_ORIGINS", "console.example.com"],
    ["CLIENT_ADDRESS_HEADER", "X Real IP"],
    ["UPSTASH_REDIS_REST_URL", "https://redis.example.com"],
    ["CHECKPOINT_SIGNING_KEYS", "c2hvcnQ="],
    ["TENANT_PURGE_AFTER_DAYS", "3651"],
    ["READ_MODEL_AUDIT_DAYS", "0"],
    ["PROMOTION_TARGETS", "https://registry.example.com"],
    ["PROMOTION_TARGETS", '{"next": {"url": "https://registry.example.com"}}'],
    ["PROMOTION_TARGETS", `{"next": {"url": "ftp://registry.example.com", "key": "${KEY}"}}`],
    ["PROMOTION_TARGETS", `{"next": {"url": "https://registry.example.com?x", "key": "${KEY}"}}`],
    ["PROMOTION_TARGETS", `{"Next": {"url": "https://registry.example.com", "key": "${KEY}"}}`],
    ["PROMOTION_TARGETS", `{"next": {"url": "https://registry.example.com", "key": "${KEY}", "more": 1}}`],
    ["LOG_ORIGIN", "registry example"],
    ["LOG_ORIGIN", "a+b"],
  ])("names %s if it is %j", (name, value) => {
    expect(() => parseSettings({ ...VARS, [name]: value })).toThrow(name);
  });

  it("takes the address of callers from Cloudflare's header in a deployment, and from none locally", () => {
    const headerIn = (ENVIRONMENT: string, more = {}) =>
      parseSettings({ ...VARS, ENVIRONMENT, ...more }).access.addressHeader;

    expect(headerIn("production")).toBe("CF-Connecting-IP");
    expect(headerIn("local")).toBeUndefined();
    expect(headerIn("local", { CLIENT_ADDRESS_HEADER: "X-Real-IP" })).toBe("X-Real-IP");
  });
});
