import { describe, expect, it } from "vitest";
import { nearestWord } from "../../schema/spelling.ts";

const WORDS = ["properties", "required", "type", "items", "minLength", "not", "title"];

describe("nearestWord", () => {
  it.each([
    ["propertees", "properties"],
    ["requred", "required"],
    ["require", "required"],
    ["Type", "type"],
    ["itmes", "items"],
    ["minlenght", "minLength"],
    ["titel", "title"],
  ])("finds the intended word for %s", (word, meant) => {
    expect(nearestWord(word, WORDS)).toBe(meant);
  });

  it.each(["type", "note", "x-order", "property", "nam", "tpye2", "description", "p".repeat(100), ""])(
    "suggests nothing for %s",
    (word) => {
      expect(nearestWord(word, WORDS)).toBeUndefined();
    },
  );
});
