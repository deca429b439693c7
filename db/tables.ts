/**
 * The read model: rows derived from each tenant's log (docs/replication.md), rebuildable at any time. A `…_key` is the seq
 * of the log entry that created the row, as in the primary's tables. Every query takes its types and column lists from here.
 */
import { getTableColumns } from "drizzle-orm";
import {
  bigint,
  boolean,
  customType,
  index,
  integer,
  jsonb,
  type PgTable,
  pgTable,
  primaryKey,
  smallint,
  text,
  timestamp,
} from "drizzle-orm/pg-core";

/** As text: `\\x` followed by lower-case hex. */
const bytea = customType<{ data: string }>({ dataType: () => "bytea" });
const tsvector = customType<{ data: string }>({ dataType: () => "tsvector" });
const seq = <Name extends string>(name: Name) => bigint(name, { mode: "number" });

/** RFC 3339 in milliseconds, the log's resolution. */
const time = <Name extends string>(name: Name) => timestamp(name, { withTimezone: true, precision: 3, mode: "string" });

/** Each tenant's checkpoint. Every transaction that writes the tenant's other rows locks this row. */
export const tenants = pgTable("tenants", {
  tenant: text("tenant").primaryKey(),
  epoch: integer("epoch").notNull(),
  /** The last log entry that was applied or parked; 0 before the first. */
  seq: seq("seq").notNull(),
  /** Leaf hash of that entry, which the next entry's header must contain; null at 0. */
  leafHash: bytea("leaf_hash"),
  /** Time of that entry. */
  entryAt: time("entry_at"),
  updatedAt: time("updated_at").notNull(),
  /** Version of the projection that derived the rows. */
  projectionVersion: integer("projection_version").notNull(),
  /** `emptying`, then `filling` during a rebuild; null otherwise. */
  rebuild: text("rebuild").$type<"emptying" | "filling">(),
  rebuildStartedAt: time("rebuild_started_at"),
  /** The seq at which a rebuild ends. */
  rebuildUpToSeq: seq("rebuild_up_to_seq"),
  /** Entries up to this one are no longer in `log_entries`: they were older than its retention. */
  entriesAfter: seq("entries_after").notNull().default(0),
});

export const subjects = pgTable(
  "subjects",
  {
    tenant: text("tenant").notNull(),
    subjectKey: seq("subject_key").notNull(),
    context: text("context").notNull(),
    subject: text("subject").notNull(),
    /** Policy of the API that created the subject. */
    defaultPolicy: text("default_policy").notNull(),
    /** The version that `latest` resolves to, null if there is none. */
    latestKey: seq("latest_key"),
  },
  (table) => [
    primaryKey({ columns: [table.tenant, table.subjectKey] }),
    // Not unique: while the entry that removed a subject is parked, a new subject may already use its name.
    index("subjects_by_name").on(table.tenant, table.subject, table.context),
  ],
);

/** One version of a subject, including drafts and soft-deleted versions; hard-deleted ones have no row. */
export const versions = pgTable(
  "versions",
  {
    tenant: text("tenant").notNull(),
    recordKey: seq("record_key").notNull(),
    /** The native id, a UUIDv7. */
    id: text("id").notNull(),
    subjectKey: seq("subject_key").notNull(),
    context: text("context").notNull(),
    subject: text("subject").notNull(),
    /** Number, semver and Confluent id are null for drafts. */
    number: seq("number"),
    semver: text("semver"),
    confluentId: seq("confluent_id"),
    guid: text("guid").notNull(),
    /** Lower-case hex. */
    contentHash: text("content_hash").notNull(),
    format: text("format").notNull(),
    dialect: text("dialect"),
    /** Confluent metadata and rule set; null if it has neither. */
    contract: jsonb("contract"),
    state: text("state").notNull(),
    deleted: boolean("deleted").notNull(),
    /** Whether `latest` resolves to this version. */
    isLatest: boolean("is_latest").notNull().default(false),
    description: text("description"),
    tags: text("tags").array().notNull(),
    owner: text("owner"),
    /** The version's own role; a role configured in `scopes` takes precedence. */
    role: text("role"),
    metadata: jsonb("metadata").notNull(),
    createdAt: time("created_at").notNull(),
    createdBy: text("created_by").notNull(),
    updatedAt: time("updated_at").notNull(),
    /** The last entry about this version. */
    updatedSeq: seq("updated_seq").notNull(),
    /** The text up to MAX_INDEXED_TEXT_CHARACTERS; null if it was deleted. */
    content: text("content"),
    /** Words as `splitWords` (db/words.ts) splits them. A trigger derives the search documents from them (db/migrations/0001_search.sql). */
    subjectWords: text("subject_words").notNull(),
    attributeWords: text("attribute_words").notNull(),
    fieldWords: text("field_words").notNull(),
    descriptionWords: text("description_words").notNull(),
    documentationWords: text("documentation_words").notNull(),
    contentWords: text("content_words").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenant, table.recordKey] }),
    index("versions_by_id").on(table.tenant, table.id),
    index("versions_by_number").on(table.tenant, table.subjectKey, table.number),
  ],
);

/** The fields of a version's schema, in the order of the text, at most MAX_INDEXED_FIELDS. */
export const fields = pgTable(
  "fields",
  {
    tenant: text("tenant").notNull(),
    recordKey: seq("record_key").notNull(),
    position: integer("position").notNull(),
    /** Dotted, with `[]` for items and `{}` for map values: `user.emails[].address`. */
    path: text("path").notNull(),
    name: text("name").notNull(),
    type: text("type").notNull(),
    documentation: text("documentation"),
    required: boolean("required").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenant, table.recordKey, table.position] }),
    index("fields_by_name").on(table.tenant, table.name),
  ],
);

/** The references of a version. */
export const versionReferences = pgTable(
  "version_references",
  {
    tenant: text("tenant").notNull(),
    recordKey: seq("record_key").notNull(),
    position: smallint("position").notNull(),
    name: text("name").notNull(),
    targetContext: text("target_context").notNull(),
    targetSubject: text("target_subject").notNull(),
    targetNumber: seq("target_number").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenant, table.recordKey, table.position] }),
    index("version_references_by_target").on(
      table.tenant,
      table.targetSubject,
      table.targetContext,
      table.targetNumber,
    ),
  ],
);

/** The tags of a version, one row each. */
export const versionTags = pgTable(
  "version_tags",
  {
    tenant: text("tenant").notNull(),
    recordKey: seq("record_key").notNull(),
    /** Its first MAX_TAG_CHARACTERS. */
    tag: text("tag").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenant, table.recordKey, table.tag] }),
    index("version_tags_by_tag").on(table.tenant, table.tag),
  ],
);

/** Settings of a subject, a context (subject "") or the whole registry (context `.__GLOBAL`); a part that is not set is null. */
export const scopes = pgTable(
  "scopes",
  {
    tenant: text("tenant").notNull(),
    context: text("context").notNull(),
    subject: text("subject").notNull(),
    config: jsonb("config"),
    mode: text("mode"),
    rules: jsonb("rules"),
    associations: jsonb("associations"),
  },
  (table) => [primaryKey({ columns: [table.tenant, table.context, table.subject] })],
);

/** The log without payloads, so a hard delete need not touch this table. */
export const logEntries = pgTable(
  "log_entries",
  {
    tenant: text("tenant").notNull(),
    seq: seq("seq").notNull(),
    epoch: integer("epoch").notNull(),
    at: time("at").notNull(),
    type: text("type").notNull(),
    subject: text("subject"),
    actor: text("actor").notNull(),
    requestId: text("request_id").notNull(),
    /** Exactly the bytes that were hashed. */
    header: bytea("header").notNull(),
    leafHash: bytea("leaf_hash").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenant, table.seq] }),
    index("log_entries_by_subject").on(table.tenant, table.subject, table.seq),
    index("log_entries_by_actor").on(table.tenant, table.actor, table.seq),
    index("log_entries_by_type").on(table.tenant, table.type, table.seq),
    index("log_entries_by_time").on(table.tenant, table.at),
  ],
);

/** Entries that could not be applied: those still retried, and those parked. */
export const entryFailures = pgTable(
  "entry_failures",
  {
    tenant: text("tenant").notNull(),
    seq: seq("seq").notNull(),
    attempts: integer("attempts").notNull(),
    /** Parked: later entries are applied, and the record waits for a repair. */
    parked: boolean("parked").notNull(),
    error: text("error").notNull(),
    firstFailedAt: time("first_failed_at").notNull(),
    lastFailedAt: time("last_failed_at").notNull(),
  },
  (table) => [primaryKey({ columns: [table.tenant, table.seq] })],
);

/**
 * The search document of each version that is not soft-deleted. Triggers on `versions` maintain it, and it is partitioned by
 * `is_latest`; Drizzle can describe neither, so both are written by hand in db/migrations/0001_search.sql.
 */
export const searchDocuments = pgTable(
  "search_documents",
  {
    tenant: text("tenant").notNull(),
    recordKey: seq("record_key").notNull(),
    isLatest: boolean("is_latest").notNull(),
    subject: text("subject").notNull(),
    subjectWords: text("subject_words").notNull(),
    /** Words of subject, tags, owner and field names, with a space before and after each. */
    names: text("names").notNull(),
    /** All searchable terms, as search_terms() spells them. */
    terms: tsvector("terms").notNull(),
  },
  (table) => [primaryKey({ columns: [table.tenant, table.recordKey, table.isLatest] })],
);

/** The words of names and how many documents contain each, for correcting typing errors. The same triggers maintain it. */
export const searchWords = pgTable(
  "search_words",
  {
    tenant: text("tenant").notNull(),
    word: text("word").notNull(),
    uses: integer("uses").notNull(),
  },
  (table) => [primaryKey({ columns: [table.tenant, table.word] })],
);

/** Denied attempts, aggregated per caller, address and minute. Not derived from the log; the signed batches are in R2. */
export const denials = pgTable(
  "denials",
  {
    tenant: text("tenant").notNull(),
    /** The start of the minute. */
    minute: time("minute").notNull(),
    /** Identifies what was aggregated (registry/denial.ts). */
    key: text("key").notNull(),
    status: smallint("status").notNull(),
    code: text("code").notNull(),
    method: text("method").notNull(),
    route: text("route").notNull(),
    subject: text("subject"),
    /** Null if the credential was not valid. */
    actor: text("actor"),
    /** The key that an invalid credential claimed to be. */
    credential: text("credential"),
    address: text("address"),
    network: text("network"),
    count: integer("count").notNull(),
    firstAt: time("first_at").notNull(),
    lastAt: time("last_at").notNull(),
    requestId: text("request_id").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenant, table.minute, table.key] }),
    index("denials_by_minute").on(table.minute),
  ],
);

/** Messages of the queue that have been counted, so that a redelivered one does not count twice. */
export const denialMessages = pgTable(
  "denial_messages",
  {
    tenant: text("tenant").notNull(),
    id: text("id").notNull(),
    at: time("at").notNull(),
  },
  (table) => [primaryKey({ columns: [table.tenant, table.id] }), index("denial_messages_by_time").on(table.at)],
);

type ColumnsOf<T extends PgTable> = T["_"]["columns"];
type ValueOf<C extends ColumnsOf<PgTable>[string]> = C["_"]["notNull"] extends true
  ? C["_"]["data"]
  : C["_"]["data"] | null;

/** A row keyed by column names, without the columns `Left`. */
export type RowOf<T extends PgTable, Left extends string = "tenant"> = {
  [K in keyof ColumnsOf<T> as Exclude<ColumnsOf<T>[K]["_"]["name"], Left>]: ValueOf<ColumnsOf<T>[K]>;
};

/** Names and SQL types of a table's columns in table order, without the columns `left`. */
export function readColumns<T extends PgTable, Left extends string = "tenant">(
  table: T,
  left: readonly Left[] = ["tenant" as Left],
): Record<keyof RowOf<T, Left> & string, string> {
  return Object.fromEntries(
    Object.values(getTableColumns(table))
      .filter(({ name }) => !(left as readonly string[]).includes(name))
      .map((column) => [column.name, column.getSQLType()]),
  ) as Record<keyof RowOf<T, Left> & string, string>;
}
