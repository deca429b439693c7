/** What is asked of `search_documents.terms`, in the spelling that search_terms() gives it (db/migrations/0001_search.sql). */
import { createHash } from "node:crypto";
import { type SQL, sql } from "drizzle-orm";
import type { Group } from "./words.ts";

export type Filters = {
  formats?: readonly string[] | undefined;
  states?: readonly string[] | undefined;
  tags?: readonly string[] | undefined;
  owner?: string | undefined;
  /** As the subject begins, capitals included. */
  subjectPrefix?: string | undefined;
  context?: string | undefined;
  role?: string | undefined;
  versions: "latest" | "all";
};

/** How groups are combined: all of them, or any. */
export type Combination = "all" | "any";

/** Where words are found, best first: in the subject; in any name; in names and prose; anywhere. Each holds all of the one before. */
export type Place = "subject" | "names" | "prose" | "anywhere";

/** The letters of the terms of each place. */
const LETTERS = { subject: ["s"], names: ["n"], prose: ["n", "p"], anywhere: ["n", "p", "t"] } as const;

const OPERATORS = { all: " & ", any: " | " } as const;

/** The terms of one tenant. */
export class Terms {
  readonly #key: string;

  constructor(tenant: string) {
    this.#key = md5(tenant).slice(0, 4);
  }

  /** The words, in one place; in prose by their stems too. */
  words(groups: readonly Group[], combination: Combination, place: Place): SQL {
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

  /** The subject as a whole, or as it begins. */
  subject(text: string, how: "is" | "begins"): SQL {
    return sql`${this.#subject(text, how)}::tsquery`;
  }

  /** What every document must have to pass the filters. */
  filters({ formats, states, tags = [], owner, subjectPrefix, context, role }: Filters): SQL {
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
    ];
    return sql`${all.length === 0 ? `'${this.#key}a'` : all.join(" & ")}::tsquery`;
  }

  /** Only letters, marks and digits are words (db/words.ts), so no quote ends one. */
  #group({ alternatives, prefix }: Group, place: Place): string {
    const suffix = prefix ? ":*" : "";
    const word = (text: string) =>
      `(${LETTERS[place].map((letter) => `'${this.#key}${letter}${text}'${suffix}`).join(" | ")})`;
    return `(${alternatives.map((words) => `(${words.map(word).join(" & ")})`).join(" | ")})`;
  }

  #subject(text: string, how: "is" | "begins"): string {
    const quoted = text.toLowerCase().replaceAll("\\", "\\\\").replaceAll("'", "''");
    return `'${this.#key}e${quoted}'${how === "begins" ? ":*" : ""}`;
  }

  #value(letter: string, value: string): string {
    return `'${this.#key}${letter}${md5(value)}'`;
  }
}

/** As Postgres' md5() has it. It shortens, it guards nothing. */
function md5(text: string): string {
  return createHash("md5").update(text, "utf8").digest("hex");
}
