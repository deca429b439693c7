import { describe, expect, it } from "vitest";
import { MAX_QUERY_WORDS, parseGroups } from "../../../db/search/words.ts";
import { MAX_WORD_CHARACTERS } from "../../../db/words.ts";

const words = (count: number) => Array.from({ length: count }, (_, n) => `word${n}`).join(" ");

describe("parseGroups", () => {
  it(`uses ${MAX_QUERY_WORDS} words of a query and ignores further ones`, () => {
    expect(parseGroups(words(MAX_QUERY_WORDS))).toHaveLength(MAX_QUERY_WORDS);
    expect(parseGroups(words(MAX_QUERY_WORDS + 1))).toEqual(parseGroups(words(MAX_QUERY_WORDS)));
  });

  it(`truncates a word at ${MAX_WORD_CHARACTERS} characters, because no longer ones are indexed`, () => {
    const longest = "x".repeat(MAX_WORD_CHARACTERS);

    expect(parseGroups(longest)).toMatchObject([{ alternatives: [[longest]] }]);
    expect(parseGroups(`${longest}y`)).toEqual(parseGroups(longest));
  });
});
