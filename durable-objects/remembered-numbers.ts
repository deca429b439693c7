/** Named counters and positions that an object stores in its table `marks`. */
export class RememberedNumbers<Name extends string> {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** 0 if it was never set. */
  get(name: Name): number {
    const [row] = this.#sql.exec<{ value: number }>("SELECT value FROM marks WHERE name = ?", name).toArray();
    return row?.value ?? 0;
  }

  set(name: Name, value: number): void {
    this.#sql.exec("INSERT OR REPLACE INTO marks (name, value) VALUES (?, ?)", name, value);
  }

  /** Never lowers the stored number. */
  raise(name: Name, value: number): void {
    this.#sql.exec(
      "INSERT INTO marks (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = max(value, excluded.value)",
      name,
      value,
    );
  }

  remove(name: Name): void {
    this.#sql.exec("DELETE FROM marks WHERE name = ?", name);
  }
}
