/**
 * Versions to search: generated schemas with realistic names, documentation and tags, written into Postgres in the
 * projection's form.
 */
import { sql } from "drizzle-orm";
import { type DatabaseAccess, inTransaction } from "../db/client.ts";
import { deriveContent } from "../db/projection/derive.ts";
import { fieldRows, type KeyedRecord, versionRow } from "../db/projection/rows.ts";
import {
  FIELD_COLUMNS,
  insertFields,
  names,
  recordset,
  VERSION_COLUMNS,
  writeSubjects,
} from "../db/projection/write.ts";

const DOMAINS = [
  "billing",
  "catalog",
  "checkout",
  "fraud",
  "identity",
  "inventory",
  "logistics",
  "marketing",
  "messaging",
  "payments",
  "pricing",
  "search",
  "shipping",
  "support",
  "telemetry",
  "training",
];
const ENTITIES = [
  "account",
  "address",
  "agent",
  "answer",
  "batch",
  "campaign",
  "card",
  "cart",
  "chunk",
  "claim",
  "consent",
  "contract",
  "conversation",
  "coupon",
  "customer",
  "dataset",
  "delivery",
  "device",
  "document",
  "embedding",
  "evaluation",
  "event",
  "experiment",
  "feature",
  "feedback",
  "invoice",
  "item",
  "ledger",
  "merchant",
  "message",
  "metric",
  "model",
  "order",
  "parcel",
  "payment",
  "payout",
  "prediction",
  "price",
  "product",
  "profile",
  "prompt",
  "question",
  "refund",
  "return",
  "review",
  "route",
  "session",
  "shipment",
  "stock",
  "subscription",
  "supplier",
  "survey",
  "ticket",
  "token",
  "tool",
  "transaction",
  "transcript",
  "user",
  "vendor",
  "warehouse",
];
const KINDS = [
  "created",
  "updated",
  "deleted",
  "request",
  "response",
  "snapshot",
  "summary",
  "v2",
  "key",
  "value",
  "history",
  "details",
  "state",
  "command",
  "result",
];
const PARTS = [
  "first",
  "last",
  "billing",
  "shipping",
  "home",
  "work",
  "primary",
  "secondary",
  "external",
  "internal",
  "parent",
  "origin",
  "target",
  "source",
  "previous",
  "next",
  "total",
  "net",
  "gross",
  "max",
  "min",
  "created",
  "updated",
  "expires",
  "started",
  "ended",
];
const NOUNS = [
  "id",
  "name",
  "email",
  "phone",
  "street",
  "city",
  "country",
  "currency",
  "amount",
  "quantity",
  "status",
  "type",
  "code",
  "reason",
  "score",
  "weight",
  "height",
  "latitude",
  "longitude",
  "url",
  "locale",
  "language",
  "timestamp",
  "date",
  "count",
  "rate",
  "tax",
  "discount",
  "comment",
  "description",
  "semver",
  "hash",
  "version",
  "region",
  "zone",
  "channel",
  "device",
  "model",
  "temperature",
  "tokens",
  "prompt",
  "address",
  "at",
  "by",
];
const SENTENCES = [
  "The moment the record was written, in UTC.",
  "Identifier given by the upstream system; never reused.",
  "Amount in minor units of the currency.",
  "Where the goods are sent, as the customer typed it.",
  "Only set when the payment was refused.",
  "Free text entered by an operator.",
  "ISO 3166 alpha-2 country code.",
  "Language of the conversation as a BCP 47 tag.",
  "Tokens counted by the provider, prompt and completion together.",
  "Score of the fraud model between zero and one.",
  "Deprecated: use the address of the account.",
  "Null until the parcel leaves the warehouse.",
];
const OWNERS = [
  "team-billing",
  "team-growth",
  "data-platform",
  "ml-serving",
  "logistics-eng",
  "trust-and-safety",
  "checkout",
];
const TAGS = ["pii", "gdpr", "public", "internal", "experimental", "golden", "ml", "finance", "critical"];

const TENANT = "default";
const BATCH = 250;

/** Fills an empty database with `subjects` subjects of `each` versions, which differ only in number and time. */
export async function loadVersions(
  access: DatabaseAccess,
  { subjects, each, progress }: { subjects: number; each: number; progress?: (text: string) => void },
): Promise<void> {
  const random = generator(7);
  for (let at = 0; at < subjects; at += BATCH) {
    const made = Array.from({ length: Math.min(BATCH, subjects - at) }, (_, n) => makeVersion(random, at + n, each));
    await inTransaction(access, async (transaction) => {
      await writeSubjects(
        transaction,
        TENANT,
        made.map(({ record }) => ({
          subject_key: record.subjectKey,
          context: record.context,
          subject: record.subject,
          default_policy: "lenient",
        })),
      );
      await transaction.execute(sql`INSERT INTO versions (tenant, is_latest, ${names(VERSION_COLUMNS)})
        SELECT ${TENANT}::text, true, ${names(VERSION_COLUMNS)}
        FROM ${recordset(
          made.map(({ record, derived }) => versionRow(record, derived)),
          VERSION_COLUMNS,
        )}`);
      await insertFields(
        transaction,
        TENANT,
        made.flatMap(({ record, derived }) => fieldRows(record.recordKey, derived)),
      );
    });
    if (at % 2_500 === 0) progress?.(`${at} subjects written`);
  }
  for (let version = 1; version < each; version += 1) {
    await copyVersions(access, version);
    progress?.(`${version} earlier versions of each`);
  }
  await inTransaction(access, async (transaction) => {
    await transaction.execute(sql`INSERT INTO tenants (tenant, epoch, seq, updated_at, projection_version)
      VALUES (${TENANT}, 1, ${subjects * each}, now(), 1)`);
    await transaction.execute(sql`ANALYZE`);
  });
}

/** The version `back` before the latest of every subject. */
async function copyVersions(access: DatabaseAccess, back: number): Promise<void> {
  const columns = Object.keys(VERSION_COLUMNS).filter(
    (name) => !["record_key", "number", "id", "semver"].includes(name),
  );
  const fieldColumns = Object.keys(FIELD_COLUMNS).filter((name) => name !== "record_key");
  const [copied, copiedFields] = [columns, fieldColumns].map((list) => sql.raw(list.join(", "))) as [
    ReturnType<typeof sql.raw>,
    ReturnType<typeof sql.raw>,
  ];
  await inTransaction(access, async (transaction) => {
    await transaction.execute(sql`INSERT INTO versions (tenant, is_latest, record_key, number, id, semver, ${copied})
      SELECT tenant, false, record_key - ${back}::bigint, number - ${back}::bigint, id || '-' || ${back}::text, (number - ${back}::bigint) || '.0.0', ${copied}
      FROM versions WHERE is_latest`);
    await transaction.execute(sql`INSERT INTO fields (tenant, record_key, ${copiedFields})
      SELECT tenant, record_key - ${back}::bigint, ${copiedFields} FROM fields
      WHERE record_key IN (SELECT record_key FROM versions WHERE is_latest)`);
  });
}

function makeVersion(random: Random, n: number, each: number) {
  const subject = subjectName(random, n);
  const fields = Array.from({ length: 5 + random.below(25) }, () => ({
    name: fieldName(random),
    type: random.of(["string", "long", "double", "boolean"]),
    ...(random.below(3) === 0 ? { doc: random.of(SENTENCES) } : {}),
  })).filter(({ name }, at, all) => all.findIndex((other) => other.name === name) === at);
  const text = JSON.stringify({
    type: "record",
    name: `Record${n}`,
    namespace: "example",
    doc: random.of(SENTENCES),
    fields,
  });
  const key = (n + 1) * each;
  const record: KeyedRecord = {
    recordKey: key,
    subjectKey: (n + 1) * each,
    id: `record-${n}`,
    context: ".",
    subject,
    versionNumber: each,
    semver: `${each}.0.0`,
    confluentId: n + 1,
    state: "active",
    deleted: false,
    format: "avro",
    dialect: null,
    contentHash: n.toString(16).padStart(64, "0") as KeyedRecord["contentHash"],
    guid: `guid-${n}`,
    references: [],
    contract: { metadata: null, ruleSet: null },
    attributes: {
      description: random.below(2) === 0 ? `${random.of(SENTENCES)} ${random.of(SENTENCES)}` : null,
      tags: [random.of(TAGS), random.of(TAGS)].filter((tag, at, all) => all.indexOf(tag) === at),
      owner: random.of(OWNERS),
      metadata: {},
      role: null,
    },
    createdAtMs: 1_764_000_000_000 + n * 1_000,
    createdBy: "local",
    updatedAtMs: 1_764_000_000_000 + n * 1_000,
    seq: key,
  };
  return { record, derived: deriveContent("avro", { text, references: [] } as never, null as never) };
}

function subjectName(random: Random, n: number): string {
  const [domain, entity, kind] = [random.of(DOMAINS), random.of(ENTITIES), random.of(KINDS)];
  const other = random.of(ENTITIES);
  const suffix = n.toString(36);
  return random.of([
    `${domain}.${entity}.${kind}-${suffix}`,
    `${domain}-${entity}-${other}-${suffix}-value`,
    `${entity}_${other}_${kind}_${suffix}`,
    `com.example.${domain}.${capital(entity)}${capital(kind)}${suffix}`,
  ]);
}

function fieldName(random: Random): string {
  const [part, noun] = [random.of(PARTS), random.of(NOUNS)];
  return random.of([noun, `${part}_${noun}`, `${part}${capital(noun)}`, `${random.of(ENTITIES)}_${noun}`]);
}

function capital(word: string): string {
  return word[0]!.toUpperCase() + word.slice(1);
}

type Random = { below(limit: number): number; of<T>(list: readonly T[]): T };

/** A seeded generator (mulberry32), so that every run has the same data. */
function generator(seed: number): Random {
  let state = seed;
  const below = (limit: number) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % limit;
  };
  return { below, of: (list) => list[below(list.length)]! };
}
