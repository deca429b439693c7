/** Builds queries on `search_documents.terms`, as search_terms() spells them (db/migrations/0001_search.sql). */
import { createHash } from "node:crypto";
import { type SQL, sql } from "drizzle-orm";
import type { Group } from "./words.ts";

export type Filters = {
  formats?: readonly string[] | undefined;
  states?: readonly string[] | undefined;
  tags?: readonly string[] | undefined;
  owner?: string | undefined;
  /** Case-sensitive prefix of the subject. */
  subjectPrefix?: string | undefined;
  context?: string | undefined;
  role?: string | undefined;
  versions: "latest" | "all";
  /** Only records in one of these parts of the tenant; absent: all. */
  within?: readonly SearchScope[];
};

/** Part of a tenant. Names are compared case-insensitively here, so it may be wider than the caller's grants. */
export type SearchScope = {
  context: string | null;
  subject: { exact: string } | { prefix: string } | null;
  states: readonly string[] | null;
};

/** Whether all groups must match or any of them. */
export type Combination = "all" | "any";

/** Where words match, best first: the subject; any name; names and prose; anywhere. Each place includes the previous one. */
export type SearchPlace = "subject" | "names" | "prose" | "anywhere";

/** Term letters of each place. */
const LETTERS = { subject: ["s"], names: ["n"], prose: ["n", "p"], anywhere: ["n", "p", "t"] } as const;

const OPERATORS = { all: " & ", any: " | " } as const;

/** Query terms of one tenant. */
export class Terms {
  readonly #key: string;

  constructor(tenant: string) {
    this.#key = md5(tenant).slice(0, 4);
  }

  /** Words in one place; in prose also by stem. */
  words(groups: readonly Group[], combination: Combination, place: SearchPlace): SQL {
    if (place === "subject" || place === "names") {
      return sql`${groups.map((group) => this.#group(group, place)).join(OPERATORS[combination])}::tsquery`;
    }
    const stemmed = groups.map((group) => {
      const stems = group.alternatives.map((words) =>
        sql.join(
          words.map((word) => sql`search_stem(${`${this.#key}p`}, ${word})`),
          sql` && `,
        ),
      );
      return sql`(${this.#group(group, place)}::tsquery || (${sql.join(stems, sql`) || (`)}))`;
    });
    return sql`(${sql.join(stemmed, combination === "all" ? sql` && ` : sql` || `)})`;
  }

  /** The whole subject, or its prefix. */
  subject(text: string, how: "is" | "begins"): SQL {
    return sql`${this.#subject(text, how)}::tsquery`;
  }

  /** Terms that every matching document must contain. */
  filters({ formats, states, tags = [], owner, subjectPrefix, context, role, within }: Filters): SQL {
    const oneOf = (letter: string, values: readonly string[]) =>
      `(${values.map((value) => this.#value(letter, value)).join(" | ")})`;
    const all = [
      ...(formats === undefined ? [] : [oneOf("f", formats)]),
      ...(states === undefined ? [] : [oneOf("x", states)]),
      ...tags.map((tag) => this.#value("g", tag)),
      ...(owner === undefined ? [] : [this.#value("o", owner)]),
      ...(context === undefined ? [] : [this.#value("c", context)]),
      ...(role === undefined ? [] : [this.#value("r", role)]),
      ...(subjectPrefix ? [this.#subject(subjectPrefix, "begins")] : []),
      ...(within === undefined ? [] : [`(${within.map((scope) => this.#scope(scope)).join(" | ")})`]),
    ];
    return sql`${all.length === 0 ? `'${this.#key}a'` : all.join(" & ")}::tsquery`;
  }

  /** Words contain only letters, marks and digits (db/words.ts), so they cannot close the quote. */
  #group({ alternatives, prefix }: Group, place: SearchPlace): string {
    const suffix = prefix ? ":*" : "";
    const word = (text: string) =>
      `(${LETTERS[place].map((letter) => `'${this.#key}${letter}${text}'${suffix}`).join(" | ")})`;
    return `(${alternatives.map((words) => `(${words.map(word).join(" & ")})`).join(" | ")})`;
  }

  #scope({ context, subject, states }: SearchScope): string {
    const all = [
      ...(context === null ? [] : [this.#value("c", context)]),
      ...(states === null ? [] : [`(${states.map((state) => this.#value("x", state)).join(" | ")})`]),
      ...(subject === null
        ? []
        : ["exact" in subject ? this.#subject(subject.exact, "is") : this.#subject(subject.prefix, "begins")]),
    ];
    return all.length === 0 ? `'${this.#key}a'` : `(${all.join(" & ")})`;
  }

  #subject(text: string, how: "is" | "begins"): string {
    const quoted = text.toLowerCase().replaceAll("\\", "\\\\").replaceAll("'", "''");
    return `'${this.#key}e${quoted}'${how === "begins" ? ":*" : ""}`;
  }

  #value(letter: string, value: string): string {
    return `'${this.#key}${letter}${md5(value)}'`;
  }
}

/** Same as Postgres' md5(). Used to shorten values, not for security. */
function md5(text: string): string {
  return createHash("md5").update(text, "utf8").digest("hex");
}
