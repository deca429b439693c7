/** Pages of state rows, ordered by key, for verifying and repairing a copy. */

import type { Queries, ScopeState } from "../../../registry/questions.ts";
import { MAX_QUERY_ROWS } from "../../../registry/rpc.ts";
import { RECORD_SELECT, type RecordRow, type StateReader, toRecord } from "../state/reader.ts";

/** JSON size of the records in one response, chosen so that a last large record still keeps it below 4 MiB. */
const MAX_COPY_BYTES = 2 * 1024 * 1024;

type ScopeRow = {
  context: string;
  subject: string;
  config: string | null;
  mode: string | null;
  rules: string | null;
  associations: string | null;
};
type Source = { sql: SqlStorage; state: StateReader };
type Name = "copyRecords" | "copySubjects" | "copyScopes";

export const COPY_ANSWERS: { [K in Name]: (source: Source, args: Queries[K][0]) => Queries[K][1] } = {
  copyRecords: ({ sql }, args) => {
    const rows =
      "keys" in args
        ? sql.exec<RecordRow>(
            `${RECORD_SELECT} WHERE record_key IN (SELECT value FROM json_each(?)) ORDER BY record_key`,
            JSON.stringify(args.keys.slice(0, MAX_QUERY_ROWS)),
          )
        : sql.exec<RecordRow>(
            `${RECORD_SELECT} WHERE record_key > ? ORDER BY record_key LIMIT ?`,
            args.after,
            Math.min(args.limit, MAX_QUERY_ROWS) + 1,
          );
    const limit = "keys" in args ? MAX_QUERY_ROWS : Math.min(args.limit, MAX_QUERY_ROWS);
    const records: Queries["copyRecords"][1]["records"] = [];
    let bytes = 0;
    for (const row of rows) {
      const record = { ...toRecord(row), recordKey: row.record_key, subjectKey: row.subject_key };
      bytes += 2 * JSON.stringify(record).length;
      if (records.length === limit || (bytes > MAX_COPY_BYTES && records.length > 0)) return { records, more: true };
      records.push(record);
    }
    return { records, more: false };
  },

  copySubjects: ({ sql, state }, args) => {
    type Row = { subject_key: number; context: string; subject: string; default_policy: string };
    const rows =
      "keys" in args
        ? sql.exec<Row>(
            "SELECT * FROM subjects WHERE subject_key IN (SELECT value FROM json_each(?)) ORDER BY subject_key",
            JSON.stringify(args.keys.slice(0, MAX_QUERY_ROWS)),
          )
        : sql.exec<Row>(
            "SELECT * FROM subjects WHERE subject_key > ? ORDER BY subject_key LIMIT ?",
            args.after,
            Math.min(args.limit, MAX_QUERY_ROWS),
          );
    const subjects = rows.toArray().map(({ subject_key, context, subject, default_policy }) => ({
      subjectKey: subject_key,
      context,
      subject,
      defaultPolicy: default_policy,
      latestKey: state.latest(subject_key)?.record_key ?? null,
    }));
    return { subjects, more: !("keys" in args) && subjects.length === Math.min(args.limit, MAX_QUERY_ROWS) };
  },

  copyScopes: ({ sql }, { after, limit }) => {
    const rows = sql.exec<ScopeRow>(
      "SELECT * FROM scopes WHERE (context, subject) > (?, ?) ORDER BY context, subject",
      after.context,
      after.subject,
    );
    const scopes: ScopeState[] = [];
    let bytes = 0;
    for (const { context, subject, config, mode, rules, associations } of rows) {
      bytes += 2 * [config, rules, associations].join("").length;
      if (scopes.length === Math.min(limit, MAX_QUERY_ROWS) || (bytes > MAX_COPY_BYTES && scopes.length > 0))
        return { scopes, more: true };
      scopes.push({
        context,
        subject,
        config: parsed(config),
        mode,
        rules: parsed(rules),
        associations: parsed(associations),
      });
    }
    return { scopes, more: false };
  },
};

function parsed(json: string | null): unknown {
  return json === null ? null : JSON.parse(json);
}
