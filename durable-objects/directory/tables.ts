/** The directory's tables. Migrations are additive, as in the primary. */
export const TABLES = `
  CREATE TABLE IF NOT EXISTS tenants (
    name          TEXT PRIMARY KEY,
    state         TEXT NOT NULL,
    jurisdiction  TEXT,
    location_hint TEXT,
    quotas        TEXT NOT NULL,    -- JSON
    created_at    INTEGER NOT NULL, -- milliseconds since the Unix epoch, like every time here
    created_by    TEXT NOT NULL
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS keys (
    id                  TEXT PRIMARY KEY, -- of the deployment, so that a user name alone says the tenant
    tenant              TEXT NOT NULL,
    name                TEXT NOT NULL,
    secrets             TEXT NOT NULL,    -- JSON: keyed hashes with their times, the current one last
    grants              TEXT NOT NULL,    -- JSON
    scopes              TEXT,             -- JSON
    requests_per_minute INTEGER,
    created_at          INTEGER NOT NULL,
    created_by          TEXT NOT NULL,
    expires_at          INTEGER,
    revoked_at          INTEGER,
    last_used_at        INTEGER
  ) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS keys_tenant ON keys (tenant, id);
  CREATE TABLE IF NOT EXISTS roles (
    tenant      TEXT NOT NULL,
    name        TEXT NOT NULL,
    permissions TEXT NOT NULL, -- JSON
    PRIMARY KEY (tenant, name)
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS grants (
    tenant    TEXT NOT NULL,
    principal TEXT NOT NULL,
    grants    TEXT NOT NULL, -- JSON
    PRIMARY KEY (tenant, principal)
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS people (
    tenant       TEXT NOT NULL,
    pseudonym    TEXT NOT NULL,
    issuer       TEXT NOT NULL,
    subject      TEXT NOT NULL,
    name         TEXT,
    last_seen_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, pseudonym)
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS erased_people (
    tenant    TEXT NOT NULL,
    pseudonym TEXT NOT NULL,
    at        INTEGER NOT NULL,
    PRIMARY KEY (tenant, pseudonym)
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS changes (
    seq        INTEGER PRIMARY KEY AUTOINCREMENT,
    at         INTEGER NOT NULL,
    tenant     TEXT NOT NULL,
    actor      TEXT NOT NULL,
    request_id TEXT NOT NULL,
    type       TEXT NOT NULL,
    about      TEXT NOT NULL
  );
  CREATE INDEX IF NOT EXISTS changes_tenant ON changes (tenant, seq);
  CREATE TABLE IF NOT EXISTS purges (
    tenant       TEXT PRIMARY KEY,
    started_at   INTEGER NOT NULL,
    completed_at INTEGER,          -- null while data may be left
    objects      INTEGER NOT NULL, -- deleted from R2
    rows         INTEGER NOT NULL  -- deleted from Postgres
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS repeats (
    tenant  TEXT NOT NULL,
    actor   TEXT NOT NULL,
    key     TEXT NOT NULL,
    digest  TEXT NOT NULL,
    outcome TEXT NOT NULL, -- JSON; holds no secret
    at      INTEGER NOT NULL,
    PRIMARY KEY (tenant, actor, key)
  ) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS repeats_at ON repeats (at);
`;
