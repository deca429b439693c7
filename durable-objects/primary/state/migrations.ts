/**
 * The primary's tables. Migrations are additive. They run in the constructor, before any request, and in constant time
 * unless they say why not. `PRAGMA user_version` is missing in this SQLite, so the number of applied migrations is
 * stored in a row (docs/storage.md).
 */
import { higherSemver } from "../../../schema/semver.ts";
import { ALIAS_TABLES } from "./aliases.ts";
import { repairConfluentIds } from "./confluent-ids.ts";
import { FEWER_ROWS } from "./fewer-rows.ts";
import { GOVERNANCE_TABLES } from "./governance.ts";

/** Stored permanently: the hashed bytes and their payloads. */
const SOURCE_TABLES = `
  CREATE TABLE log (
    seq       INTEGER PRIMARY KEY,
    header    BLOB NOT NULL,
    leaf_hash BLOB NOT NULL
  );
  CREATE TABLE payloads (
    seq   INTEGER PRIMARY KEY,
    salt  BLOB NOT NULL,
    bytes BLOB NOT NULL
  );
  CREATE TABLE texts (
    content_hash BLOB PRIMARY KEY,
    deflated     BLOB,
    text_bytes   INTEGER NOT NULL
  );
`;

/** A pure function of the log; only apply.ts writes here. Keys are the seq of the entry that created the row. */
const STATE_TABLES = `
  CREATE TABLE contexts (
    context           TEXT PRIMARY KEY,
    next_confluent_id INTEGER NOT NULL
  ) WITHOUT ROWID;
  CREATE TABLE subjects (
    subject_key    INTEGER PRIMARY KEY,
    context        TEXT NOT NULL,
    subject        TEXT NOT NULL,
    last_number    INTEGER NOT NULL,
    last_label     TEXT,
    default_policy TEXT NOT NULL
  );
  CREATE UNIQUE INDEX subjects_by_name ON subjects (context, subject);
  CREATE TABLE contents (
    content_key      INTEGER PRIMARY KEY,
    content_hash     BLOB NOT NULL,
    guid             TEXT NOT NULL,
    format           TEXT NOT NULL,
    dialect          TEXT,
    refs             TEXT,
    contract         TEXT,
    equivalence_hash BLOB NOT NULL
  );
  CREATE UNIQUE INDEX contents_by_hash ON contents (content_hash);
  CREATE INDEX contents_by_guid ON contents (guid);
  CREATE INDEX contents_by_equivalence ON contents (equivalence_hash);
  CREATE TABLE records (
    record_key   INTEGER PRIMARY KEY,
    id           TEXT NOT NULL,
    subject_key  INTEGER NOT NULL,
    number       INTEGER,
    label        TEXT,
    content_key  INTEGER NOT NULL,
    confluent_id INTEGER,
    state        TEXT NOT NULL,
    deleted      INTEGER NOT NULL,
    attributes   TEXT,
    created_at   INTEGER NOT NULL, -- milliseconds since the Unix epoch
    created_by   TEXT NOT NULL,
    updated_at   INTEGER NOT NULL,
    updated_seq  INTEGER NOT NULL
  );
  CREATE UNIQUE INDEX records_by_id ON records (id);
  CREATE UNIQUE INDEX records_by_number ON records (subject_key, number);
  CREATE INDEX records_by_label ON records (subject_key, label) WHERE label IS NOT NULL;
  CREATE INDEX records_by_content ON records (content_key, subject_key);
  CREATE TABLE confluent_ids (
    context      TEXT NOT NULL,
    confluent_id INTEGER NOT NULL,
    content_key  INTEGER NOT NULL,
    PRIMARY KEY (context, confluent_id)
  ) WITHOUT ROWID;
  CREATE INDEX confluent_ids_by_content ON confluent_ids (content_key, context);
  CREATE TABLE record_references (
    target_subject_key INTEGER NOT NULL,
    target_number      INTEGER NOT NULL,
    record_key         INTEGER NOT NULL,
    PRIMARY KEY (target_subject_key, target_number, record_key)
  ) WITHOUT ROWID;
  CREATE INDEX record_references_by_record ON record_references (record_key);
  CREATE TABLE amendments (
    record_key INTEGER NOT NULL,
    seq        INTEGER NOT NULL,
    PRIMARY KEY (record_key, seq)
  ) WITHOUT ROWID;
  CREATE TABLE scopes (
    context TEXT NOT NULL,
    subject TEXT NOT NULL,
    config  TEXT,
    mode    TEXT,
    rules   TEXT,
    PRIMARY KEY (context, subject)
  ) WITHOUT ROWID;
`;

/** Neither log nor state: the object's own bookkeeping. */
const WORK_TABLES = `
  CREATE TABLE commands (
    command_id TEXT PRIMARY KEY,
    at         INTEGER NOT NULL,
    answer     TEXT NOT NULL
  ) WITHOUT ROWID;
  CREATE INDEX commands_by_time ON commands (at);
  CREATE TABLE marks (
    name  TEXT PRIMARY KEY,
    value INTEGER NOT NULL
  ) WITHOUT ROWID;
  CREATE TABLE text_deletions (
    content_hash BLOB PRIMARY KEY
  ) WITHOUT ROWID;
`;

/** Associations of subjects with resources outside the registry, as JSON lists. */
const ASSOCIATIONS = "ALTER TABLE scopes ADD COLUMN associations TEXT;";

/** Webhook endpoints and their key generations; keys are derived from the generation and never stored. */
const WEBHOOKS = `
  CREATE TABLE webhooks (
    webhook_key INTEGER PRIMARY KEY,
    id          TEXT NOT NULL,
    endpoint    TEXT NOT NULL,
    created_at  INTEGER NOT NULL, -- milliseconds since the Unix epoch
    created_by  TEXT NOT NULL,
    updated_at  INTEGER NOT NULL,
    updated_seq INTEGER NOT NULL
  );
  CREATE UNIQUE INDEX webhooks_by_id ON webhooks (id);
`;

/** The progress of a text's deletion (text-deletions.ts), and its start in milliseconds since the Unix epoch. */
const DELETION_STATES = `
  ALTER TABLE text_deletions ADD COLUMN state INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE text_deletions ADD COLUMN at INTEGER NOT NULL DEFAULT 0;
`;

/**
 * A deleted context keeps its row and its counter, because clients that cached an id of it must not get other content.
 */
const DELETED_CONTEXTS = "ALTER TABLE contexts ADD COLUMN deleted INTEGER;";

/** The dialect of each record. Null if an earlier build wrote the record: it then has the content's dialect. */
const READINGS_OF_RECORDS = `
  ALTER TABLE records ADD COLUMN record_dialect TEXT;
  ALTER TABLE records ADD COLUMN orderless_hash BLOB;
  CREATE INDEX records_by_orderless_hash ON records (subject_key, orderless_hash) WHERE orderless_hash IS NOT NULL;
`;

/**
 * Finds associations by resource without reading every scope. Triggers maintain it, because scopes change in several
 * places and the index must never disagree with them.
 */
const ASSOCIATED_RESOURCES = `
  CREATE TABLE associated_resources (
    context            TEXT NOT NULL,
    subject            TEXT NOT NULL,
    resource_id        TEXT NOT NULL,
    resource_name      TEXT NOT NULL,
    resource_namespace TEXT NOT NULL,
    PRIMARY KEY (context, subject, resource_id, resource_name, resource_namespace)
  ) WITHOUT ROWID;
  CREATE INDEX associated_resources_by_id ON associated_resources (resource_id);
  CREATE INDEX associated_resources_by_name ON associated_resources (resource_name, resource_namespace);
  CREATE INDEX associated_resources_by_namespace ON associated_resources (resource_namespace);
  CREATE TRIGGER associations_inserted AFTER INSERT ON scopes WHEN new.associations IS NOT NULL BEGIN
    INSERT INTO associated_resources ${resourcesOf("json_each(new.associations) AS item", "new")};
  END;
  CREATE TRIGGER associations_updated AFTER UPDATE OF associations ON scopes BEGIN
    DELETE FROM associated_resources WHERE context = old.context AND subject = old.subject;
    INSERT INTO associated_resources ${resourcesOf("json_each(new.associations) AS item", "new")};
  END;
  CREATE TRIGGER associations_deleted AFTER DELETE ON scopes WHEN old.associations IS NOT NULL BEGIN
    DELETE FROM associated_resources WHERE context = old.context AND subject = old.subject;
  END;
  INSERT INTO associated_resources
    ${resourcesOf("scopes, json_each(scopes.associations) AS item", "scopes")} AND scopes.associations IS NOT NULL;
`;

function resourcesOf(from: string, row: string): string {
  const member = (name: string) => `json_extract(item.value, '$.resource.${name}')`;
  return `SELECT DISTINCT ${row}.context, ${row}.subject, ${member("id")}, ${member("name")}, ${member("namespace")} FROM ${from} WHERE true`;
}

/** Keyed by the last entry of each set, so that the set of an entry is found by one seek. */
const CHANGE_SETS = `
  CREATE TABLE change_sets (
    change_set_key INTEGER PRIMARY KEY,
    id             TEXT NOT NULL,
    kind           TEXT NOT NULL,
    message        TEXT,
    proposal       TEXT,
    first_seq      INTEGER NOT NULL,
    at             INTEGER NOT NULL, -- milliseconds since the Unix epoch
    actor          TEXT NOT NULL
  );
  CREATE UNIQUE INDEX change_sets_by_id ON change_sets (id);
`;

/**
 * Roots of complete tiles by level, signed checkpoints, and all keys that have signed: derived from the log, rebuilt by
 * the alarm.
 */
const CHECKPOINTS = `
  CREATE TABLE tree_hashes (
    level    INTEGER NOT NULL,
    position INTEGER NOT NULL,
    hash     BLOB NOT NULL,
    PRIMARY KEY (level, position)
  ) WITHOUT ROWID;
  CREATE TABLE checkpoints (
    size INTEGER PRIMARY KEY,
    at   INTEGER NOT NULL, -- milliseconds since the Unix epoch
    note TEXT NOT NULL
  );
  CREATE TABLE checkpoint_keys (
    verifier   TEXT PRIMARY KEY,
    first_size INTEGER NOT NULL,
    first_at   INTEGER NOT NULL
  ) WITHOUT ROWID;
`;

/** SQL, or code for what SQL cannot express. */
type Migration = string | ((sql: SqlStorage) => void);

export const MIGRATIONS: readonly Migration[] = [
  SOURCE_TABLES + STATE_TABLES + WORK_TABLES,
  ASSOCIATIONS,
  WEBHOOKS,
  DELETION_STATES,
  raiseLoweredCounters,
  DELETED_CONTEXTS,
  READINGS_OF_RECORDS,
  repairConfluentIds,
  ASSOCIATED_RESOURCES,
  CHANGE_SETS,
  FEWER_ROWS,
  CHECKPOINTS,
  GOVERNANCE_TABLES,
  ALIAS_TABLES,
];

/**
 * Earlier builds decreased a subject's counters when soft-deleted content was registered again, and then refused every
 * later version. This reads one index once, in the constructor, because a subject that had to wait for an alarm would
 * stay broken until then.
 */
export function raiseLoweredCounters(sql: SqlStorage): void {
  sql.exec(`UPDATE subjects SET last_number = given.number
    FROM (SELECT subject_key, max(number) AS number FROM records WHERE number IS NOT NULL GROUP BY subject_key) AS given
    WHERE given.subject_key = subjects.subject_key AND given.number > subjects.last_number`);
  const highest = new Map<number, string | null>();
  const labels = sql.exec<{ subject_key: number; label: string }>(
    "SELECT subject_key, label FROM records WHERE label IS NOT NULL",
  );
  for (const { subject_key, label } of labels) {
    highest.set(subject_key, higherSemver(highest.get(subject_key) ?? null, label));
  }
  for (const [subjectKey, label] of highest) {
    const { last_label } = sql
      .exec<{ last_label: string | null }>("SELECT last_label FROM subjects WHERE subject_key = ?", subjectKey)
      .one();
    if (higherSemver(last_label, label) === last_label) continue;
    sql.exec("UPDATE subjects SET last_label = ? WHERE subject_key = ?", label, subjectKey);
  }
}

/** The tables that a replay must reproduce row by row, each with its sort columns. */
export const STATE_TABLE_ORDER: Readonly<Record<string, string>> = {
  contexts: "context",
  subjects: "subject_key",
  contents: "content_key",
  records: "record_key",
  confluent_ids: "context, confluent_id",
  record_references: "target_subject_key, target_number, record_key",
  amendments: "record_key, seq",
  scopes: "context, subject",
  associated_resources: "context, subject, resource_id, resource_name, resource_namespace",
  webhooks: "webhook_key",
  change_sets: "change_set_key",
  governance: "governance_key",
  proposals: "proposal_key",
  proposal_comments: "comment_key",
  version_aliases: "subject_key, alias",
  alias_moves: "move_key",
  evidence: "evidence_key",
};

/**
 * Reads a table independently of the build that wrote it: where builds write equivalent data differently, through a
 * view.
 */
export function selectStateTable(table: string): string {
  const { columns, from } = STATE_TABLE_VIEWS[table] ?? { columns: "*", from: table };
  return `SELECT ${columns} FROM ${from} ORDER BY ${STATE_TABLE_ORDER[table]}`;
}

const STATE_TABLE_VIEWS: Readonly<Record<string, { columns: string; from: string }>> = {
  contexts: { columns: "*", from: "context_counters" },
  subjects: { columns: "*", from: "subject_counters" },
  confluent_ids: { columns: "context, confluent_id, content_key", from: "confluent_ids" },
};

/** Migrates a database of any earlier build to this one, in one transaction. */
export function migrate(storage: DurableObjectStorage, migrations: readonly Migration[] = MIGRATIONS): void {
  storage.transactionSync(() => {
    storage.sql.exec("CREATE TABLE IF NOT EXISTS migrations (applied INTEGER NOT NULL)");
    const { applied } = storage.sql
      .exec<{ applied: number }>("SELECT coalesce(max(applied), 0) AS applied FROM migrations")
      .one();
    if (applied > migrations.length) {
      throw new Error(
        `The database has ${applied} migrations, this build knows ${migrations.length}: deploy a newer build.`,
      );
    }
    if (applied === migrations.length) return;
    for (const migration of migrations.slice(applied)) {
      if (typeof migration === "string") storage.sql.exec(migration);
      else migration(storage.sql);
    }
    storage.sql.exec("DELETE FROM migrations");
    storage.sql.exec("INSERT INTO migrations (applied) VALUES (?)", migrations.length);
  });
}
