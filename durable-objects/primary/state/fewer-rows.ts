/**
 * Reduces the rows that a registration writes, which are most of its price: an entry's payload and text are columns of the
 * entry's own row, counters that can be derived from the counted rows are not written, and indexes omit rows that another
 * index finds. Rows of earlier builds are unchanged and are read through the same views.
 *
 * This migration is not constant-time: it rebuilds four indexes of `records`, about a second per million records.
 */
import { COUNTED_IDS } from "../../../registry/confluent-id.ts";

/** One slice of stored commands: a command is looked up in two of them, and whole slices are forgotten. */
export const COMMAND_SLICE_MS = 24 * 60 * 60 * 1_000;

export const FEWER_ROWS = `
  ALTER TABLE log ADD COLUMN salt BLOB;
  ALTER TABLE log ADD COLUMN payload BLOB;
  ALTER TABLE log ADD COLUMN deflated BLOB;
  ALTER TABLE log ADD COLUMN text_bytes INTEGER;
  CREATE VIEW entries AS
    SELECT log.seq, log.header, log.leaf_hash, coalesce(log.salt, payloads.salt) AS salt,
           coalesce(log.payload, payloads.bytes) AS payload
      FROM log LEFT JOIN payloads USING (seq);
  CREATE VIEW stored_texts AS
    SELECT content_hash, deflated, text_bytes FROM texts
    UNION ALL
    SELECT contents.content_hash, log.deflated, log.text_bytes
      FROM contents JOIN log ON log.seq = contents.content_key WHERE log.text_bytes IS NOT NULL;

  CREATE TABLE outcomes (
    slice      INTEGER NOT NULL, -- of COMMAND_SLICE_MS since the Unix epoch
    command_id TEXT NOT NULL,
    at         INTEGER NOT NULL, -- milliseconds since the Unix epoch
    answer     TEXT NOT NULL,
    PRIMARY KEY (slice, command_id)
  ) WITHOUT ROWID;
  INSERT INTO outcomes SELECT at / ${COMMAND_SLICE_MS}, command_id, at, answer FROM commands;
  DROP TABLE commands;

  DROP INDEX records_by_label;
  CREATE INDEX records_by_label ON records (subject_key, label) WHERE label <> '';
  DROP INDEX records_by_orderless_hash;
  CREATE INDEX records_by_orderless_hash ON records (subject_key, orderless_hash) WHERE orderless_hash <> x'';
  CREATE INDEX records_by_role ON records (subject_key, number) WHERE json_extract(attributes, '$.role') <> '';
  DROP INDEX records_by_content;
  CREATE INDEX records_by_content ON records (content_key, subject_key) WHERE content_key <> record_key;
  CREATE VIEW content_records AS
    SELECT record_key AS content_key, subject_key, record_key FROM records NOT INDEXED WHERE content_key = record_key
    UNION ALL
    SELECT content_key, subject_key, record_key FROM records INDEXED BY records_by_content WHERE content_key <> record_key;

  -- 0 where the record that brought the content has the id too, and so tells it.
  ALTER TABLE confluent_ids ADD COLUMN indexed INTEGER NOT NULL DEFAULT 1;
  DROP INDEX confluent_ids_by_content;
  CREATE INDEX confluent_ids_by_content ON confluent_ids (content_key, context) WHERE indexed = 1;
  CREATE VIEW content_ids AS
    SELECT records.record_key AS content_key, subjects.context, records.confluent_id
      FROM records JOIN subjects USING (subject_key)
      WHERE records.content_key = records.record_key AND records.confluent_id IS NOT NULL
    UNION
    SELECT content_key, context, confluent_id FROM confluent_ids INDEXED BY confluent_ids_by_content WHERE indexed = 1;

  CREATE VIEW context_counters AS
    SELECT context, deleted, max(next_confluent_id, 1 + coalesce((
      SELECT max(confluent_id) FROM confluent_ids
        WHERE confluent_ids.context = contexts.context AND confluent_id < ${COUNTED_IDS}), 0)) AS next_confluent_id
      FROM contexts;
  CREATE VIEW subject_counters AS
    SELECT subjects.subject_key, subjects.context, subjects.subject, subjects.default_policy,
           max(subjects.last_number, coalesce(newest.number, 0)) AS last_number,
           CASE WHEN newest.number > subjects.last_number THEN newest.label ELSE subjects.last_label END AS last_label
      FROM subjects LEFT JOIN records AS newest ON newest.subject_key = subjects.subject_key AND newest.number = (
        SELECT max(number) FROM records WHERE records.subject_key = subjects.subject_key);
`;
