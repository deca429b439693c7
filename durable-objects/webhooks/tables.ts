/** The tables of a WebhooksObject. Everything but the results of deliveries is derived from the log. */

const TABLES = `
  CREATE TABLE marks (
    name  TEXT PRIMARY KEY,
    value INTEGER NOT NULL
  ) WITHOUT ROWID;
  CREATE TABLE endpoints (
    webhook_id        TEXT PRIMARY KEY,
    endpoint          TEXT NOT NULL, -- as the log left it at the tip
    failures          INTEGER NOT NULL DEFAULT 0,
    opens             INTEGER NOT NULL DEFAULT 0,
    open_until        INTEGER, -- milliseconds since the Unix epoch, as all times here
    gone_at_seq       INTEGER, -- it answered 410 when the endpoint was at this seq, and the primary is yet to hear of it
    last_delivered_at INTEGER
  ) WITHOUT ROWID;
  CREATE TABLE deliveries (
    delivery_key INTEGER PRIMARY KEY,
    id           TEXT NOT NULL,
    webhook_id   TEXT NOT NULL,
    event_id     TEXT NOT NULL,
    seq          INTEGER, -- null for a test
    type         TEXT NOT NULL,
    subject      TEXT,
    event_at     INTEGER NOT NULL,
    status       TEXT NOT NULL,
    failures     INTEGER NOT NULL, -- since it was last made due
    due_at       INTEGER NOT NULL,
    expires_at   INTEGER NOT NULL,
    ended_at     INTEGER
  );
  CREATE UNIQUE INDEX deliveries_by_id ON deliveries (id);
  CREATE INDEX deliveries_due ON deliveries (webhook_id, due_at) WHERE status = 'pending';
  CREATE INDEX deliveries_waiting ON deliveries (event_at) WHERE status = 'pending';
  CREATE INDEX deliveries_by_status ON deliveries (webhook_id, status, delivery_key);
  CREATE TABLE attempts (
    attempt_key  INTEGER PRIMARY KEY,
    delivery_key INTEGER NOT NULL,
    at           INTEGER NOT NULL,
    status       INTEGER, -- null where no answer came
    latency_ms   INTEGER NOT NULL,
    error        TEXT
  );
  CREATE INDEX attempts_by_delivery ON attempts (delivery_key);
`;

/** First outcomes of requests that carried an Idempotency-Key. */
const OUTCOMES = `
  CREATE TABLE outcomes (
    key     TEXT PRIMARY KEY,
    digest  TEXT NOT NULL, -- of what the request asked for
    outcome TEXT NOT NULL,
    at      INTEGER NOT NULL
  ) WITHOUT ROWID;
  CREATE INDEX outcomes_by_age ON outcomes (at);
`;

/**
 * Notices, which have no log entry to read again, and what they are derived from: the last known portability of each
 * version, and how far the lint with the current profiles has got.
 */
const NOTICES = `
  ALTER TABLE deliveries ADD COLUMN notice TEXT; -- what the notice is about, as JSON; null for log entries and tests
  CREATE TABLE portability (
    record_id TEXT PRIMARY KEY,
    summary   TEXT NOT NULL
  ) WITHOUT ROWID;
  CREATE TABLE portability_checkpoint (
    profiles         TEXT NOT NULL,
    after_record_key INTEGER NOT NULL
  );
`;

export const WEBHOOK_MIGRATIONS: readonly string[] = [TABLES, OUTCOMES, NOTICES];
