/** The people behind pseudonyms: who they are, and how one of them is erased. */
import type { AccessChange } from "../../registry/grant.ts";
import type { ErasedPerson, KnownPerson, Person } from "./protocol.ts";

type PersonRow = {
  pseudonym: string;
  issuer: string | null;
  subject: string | null;
  name: string | null;
  last_seen_at: number | null;
  erased_at: number | null;
};

/** Known and erased people alike; an erased one is a pseudonym and a time. */
const PEOPLE = `SELECT * FROM (
    SELECT tenant, pseudonym, issuer, subject, name, last_seen_at, NULL AS erased_at FROM people
    UNION ALL SELECT tenant, pseudonym, NULL, NULL, NULL, NULL, at FROM erased_people)`;

export class People {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** Records the person behind a pseudonym. */
  put(tenant: string, { pseudonym, issuer, subject, name }: Person, nowMs: number): void {
    this.#sql.exec(
      "INSERT OR REPLACE INTO people (tenant, pseudonym, issuer, subject, name, last_seen_at) VALUES (?, ?, ?, ?, ?, ?)",
      tenant,
      pseudonym,
      issuer,
      subject,
      name,
      nowMs,
    );
  }

  isErased(tenant: string, pseudonym: string): boolean {
    const erased = this.#sql.exec("SELECT 1 FROM erased_people WHERE tenant = ? AND pseudonym = ?", tenant, pseudonym);
    return erased.toArray().length > 0;
  }

  get(tenant: string, pseudonym: string): KnownPerson | ErasedPerson | undefined {
    const [row] = this.#sql
      .exec<PersonRow>(`${PEOPLE} WHERE tenant = ? AND pseudonym = ?`, tenant, pseudonym)
      .toArray();
    return row && toPerson(row);
  }

  list(tenant: string, after: string, limit: number): (KnownPerson | ErasedPerson)[] {
    return this.#sql
      .exec<PersonRow>(`${PEOPLE} WHERE tenant = ? AND pseudonym > ? ORDER BY pseudonym LIMIT ?`, tenant, after, limit)
      .toArray()
      .map(toPerson);
  }

  /**
   * Deletes everything that names the person: the mapping, grants to the person, and the principal in past changes of them. The
   * pseudonym stays in the log, and the person gets another when signing in again.
   */
  erase(tenant: string, { pseudonym, subject }: KnownPerson, nowMs: number): void {
    const principal = `user:${subject}`;
    this.#sql.exec("DELETE FROM people WHERE tenant = ? AND pseudonym = ?", tenant, pseudonym);
    this.#sql.exec("INSERT INTO erased_people (tenant, pseudonym, at) VALUES (?, ?, ?)", tenant, pseudonym, nowMs);
    this.#sql.exec("DELETE FROM grants WHERE tenant = ? AND principal = ?", tenant, principal);
    this.#sql.exec("UPDATE changes SET about = ? WHERE tenant = ? AND about = ?", pseudonym, tenant, principal);
    // Outcomes of the last day, which repeat the principal.
    this.#sql.exec("DELETE FROM repeats WHERE tenant = ? AND instr(outcome, ?) > 0", tenant, JSON.stringify(principal));
  }

  changesBy(tenant: string, actor: string, after: number, limit: number): AccessChange[] {
    return this.#sql
      .exec<{
        seq: number;
        at: number;
        tenant: string;
        actor: string;
        request_id: string;
        type: string;
        about: string;
      }>(
        "SELECT * FROM changes WHERE tenant = ? AND (actor = ? OR about = ?) AND seq > ? ORDER BY seq LIMIT ?",
        tenant,
        actor,
        actor,
        after,
        limit,
      )
      .toArray()
      .map(({ at, request_id, type, ...row }) => ({
        ...row,
        atMs: at,
        requestId: request_id,
        type: type as AccessChange["type"],
      }));
  }
}

function toPerson({
  pseudonym,
  issuer,
  subject,
  name,
  last_seen_at,
  erased_at,
}: PersonRow): KnownPerson | ErasedPerson {
  if (erased_at !== null) return { pseudonym, erasedAtMs: erased_at };
  return { pseudonym, issuer: issuer!, subject: subject!, name, lastSeenAtMs: last_seen_at!, erasedAtMs: null };
}
