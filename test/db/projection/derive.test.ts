import { describe, expect, it } from "vitest";
import {
  cut,
  deriveContent,
  joinedWords,
  MAX_DOCUMENTATION_CHARACTERS,
  MAX_FIELDS_CHARACTERS,
  MAX_INDEXED_FIELDS,
  MAX_INDEXED_NAME_CHARACTERS,
  MAX_INDEXED_PATH_CHARACTERS,
  MAX_INDEXED_TEXT_CHARACTERS,
  MAX_WORDS,
} from "../../../db/projection/derive.ts";
import { storableJson } from "../../../db/projection/rows.ts";

const jsonSchema = (properties: object, more: object = {}) =>
  derive(JSON.stringify({ type: "object", properties, ...more }));
const derive = (text: string) => deriveContent("json-schema", { text, references: [] }, "2020-12");
const properties = (count: number, value: object = { type: "string" }) =>
  Object.fromEntries(Array.from({ length: count }, (_, n) => [`p${n}`, value]));

describe("deriveContent", () => {
  it("returns fields with their paths and last names, in the format's terms", () => {
    const { fields } = jsonSchema(
      { emails: { type: "array", items: { type: "object", properties: { address: { type: "string" } } } } },
      { required: ["emails"] },
    );

    expect(fields.map(({ path, name }) => [path, name])).toContainEqual(["emails[].address", "address"]);
    expect(fields[0]).toMatchObject({ path: "emails", name: "emails", type: "array", required: true });
  });

  it("returns the words of names, of documentation and of the text", () => {
    const derived = jsonSchema({ firstName: { type: "string", description: "Given to a child" } });

    expect(derived.fieldWords).toBe("firstname first name");
    expect(derived.documentationWords).toBe("given to a child");
    expect(derived.contentWords.split(" ")).toEqual(expect.arrayContaining(["properties", "firstname", "child"]));
  });

  it("returns the words of a text that its format no longer parses", () => {
    expect(derive("{ no schema at all")).toMatchObject({
      content: "{ no schema at all",
      fields: [],
      contentWords: "no schema at all",
    });
  });

  it("keeps a text up to the limit", () => {
    const comment = (length: number) => `{"$comment":"${"x".repeat(length - 15)}"}`;

    expect(derive(comment(MAX_INDEXED_TEXT_CHARACTERS)).content).toBe(comment(MAX_INDEXED_TEXT_CHARACTERS));
    expect(derive(comment(MAX_INDEXED_TEXT_CHARACTERS + 1)).content).toHaveLength(MAX_INDEXED_TEXT_CHARACTERS);
  });

  it("keeps fields up to the limit", () => {
    expect(jsonSchema(properties(MAX_INDEXED_FIELDS)).fields).toHaveLength(MAX_INDEXED_FIELDS);
    expect(jsonSchema(properties(MAX_INDEXED_FIELDS + 1)).fields).toHaveLength(MAX_INDEXED_FIELDS);
  });

  it("keeps all fields together up to the limit", () => {
    const documented = (count: number) =>
      jsonSchema(properties(count, { type: "string", description: "d".repeat(4_000) }));
    const fit = Math.floor(MAX_FIELDS_CHARACTERS / 4_010);

    expect(documented(fit).fields).toHaveLength(fit);
    expect(documented(fit + 5).fields).toHaveLength(fit);
  });

  it("truncates values beyond the limit of an index or a reader", () => {
    const name = "n".repeat(MAX_INDEXED_PATH_CHARACTERS + 1);
    const { fields } = jsonSchema({
      [name]: { type: "string", description: "d".repeat(MAX_DOCUMENTATION_CHARACTERS + 1) },
    });

    expect(fields[0]!.path).toHaveLength(MAX_INDEXED_PATH_CHARACTERS);
    expect(fields[0]!.name).toHaveLength(MAX_INDEXED_NAME_CHARACTERS);
    expect(fields[0]!.documentation).toHaveLength(MAX_DOCUMENTATION_CHARACTERS);
  });
});

describe("joinedWords", () => {
  it("keeps words up to the limit", () => {
    const words = (count: number) =>
      joinedWords([Array.from({ length: count }, (_, n) => `w${"x".repeat(n % 50)}y${n}`).join("/")]);

    expect(words(MAX_WORDS).split(" ")).toHaveLength(MAX_WORDS);
    expect(words(10 * MAX_WORDS).split(" ")).toHaveLength(MAX_WORDS);
  });
});

describe("cut", () => {
  it("never splits a surrogate pair", () => {
    expect(cut("ab🙂", 3)).toBe("ab");
    expect(cut("ab🙂", 4)).toBe("ab🙂");
  });
});

describe("storableJson", () => {
  it.each([
    ["the character 0", "a\0b", "a\ufffdb"],
    ["half of a pair", "a\ud83db", "a\ufffdb"],
    ["the other half", "a\ude42b", "a\ufffdb"],
    ["a whole pair", "a🙂b", "a🙂b"],
    ["an escape that is only spelled", "a\\u0000b", "a\\u0000b"],
    ["a backslash before the character 0", "a\\\0b", "a\\\ufffdb"],
  ])("stores %s in a form that Postgres accepts", (_what, text, expected) => {
    expect(JSON.parse(storableJson({ [text]: [text] }))).toEqual({ [expected]: [expected] });
  });
});
