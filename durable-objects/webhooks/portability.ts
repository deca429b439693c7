/** The last known portability of each version, and how far the lint with the current profiles has got. */
import type { Portability } from "../../schema/projection/portability.ts";
import type { PortabilityCheckpoint } from "./rpc.ts";

/** Before the first lint. */
const START: PortabilityCheckpoint = { profiles: "", afterRecordKey: 0 };

export class KnownPortability {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  checkpoint(): PortabilityCheckpoint {
    const [row] = this.#sql
      .exec<{ profiles: string; after_record_key: number }>("SELECT * FROM portability_checkpoint")
      .toArray();
    return row === undefined ? START : { profiles: row.profiles, afterRecordKey: row.after_record_key };
  }

  isAt({ profiles, afterRecordKey }: PortabilityCheckpoint): boolean {
    const current = this.checkpoint();
    return current.profiles === profiles && current.afterRecordKey === afterRecordKey;
  }

  moveTo({ profiles, afterRecordKey }: PortabilityCheckpoint): void {
    this.#sql.exec("DELETE FROM portability_checkpoint");
    this.#sql.exec(
      "INSERT INTO portability_checkpoint (profiles, after_record_key) VALUES (?, ?)",
      profiles,
      afterRecordKey,
    );
  }

  /** Stores a summary and returns the one before it. */
  replace(recordId: string, portability: Portability): Portability | undefined {
    const [row] = this.#sql
      .exec<{ summary: string }>("SELECT summary FROM portability WHERE record_id = ?", recordId)
      .toArray();
    const summary = JSON.stringify(portability);
    if (row?.summary !== summary) {
      this.#sql.exec("INSERT OR REPLACE INTO portability (record_id, summary) VALUES (?, ?)", recordId, summary);
    }
    return row && (JSON.parse(row.summary) as Portability);
  }

  /** Endpoints created later receive only changes after their creation. */
  forget(): void {
    this.#sql.exec("DELETE FROM portability");
    this.#sql.exec("DELETE FROM portability_checkpoint");
  }
}
