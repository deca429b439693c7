import { describe, expect, it } from "vitest";
import {
  mergeMetadata,
  mergeRuleSets,
  type RuleSet,
  reservedNames,
  ruleSetProblem,
  sortMetadata,
} from "../../../schema/rules/data-contract.ts";

describe("mergeMetadata", () => {
  it("replaces tags per path and properties per key, and unites sensitive sets", () => {
    const merged = mergeMetadata(
      { tags: { a: ["X"], b: ["Y"] }, properties: { k: "1", l: "2" }, sensitive: ["s"] },
      { tags: { a: ["Z"] }, properties: { k: "3" }, sensitive: ["r"] },
    );

    expect(merged).toEqual({ tags: { a: ["Z"], b: ["Y"] }, properties: { k: "3", l: "2" }, sensitive: ["r", "s"] });
  });

  it("keeps the side that is present", () => {
    expect(mergeMetadata(null, { properties: { a: "1" } })).toEqual({ properties: { a: "1" } });
    expect(mergeMetadata(undefined, null)).toBeNull();
  });
});

describe("sortMetadata", () => {
  it("sorts keys and sets, so that equal metadata have equal bytes", () => {
    const sorted = sortMetadata({ properties: { b: "1", a: "2" }, tags: { z: ["b", "a", "b"] } });

    expect(JSON.stringify(sorted)).toBe('{"tags":{"z":["a","b"]},"properties":{"a":"2","b":"1"}}');
  });
});

describe("mergeRuleSets", () => {
  it("replaces same-named rules and appends the new list after the others", () => {
    const rule = (name: string, expr: string) => ({ name, type: "CEL", expr });

    const merged = mergeRuleSets(
      { domainRules: [rule("a", "1"), rule("b", "1")], enableAt: "CLIENT" },
      { domainRules: [rule("a", "2"), rule("c", "2")] },
    );

    expect(merged).toEqual({ domainRules: [rule("b", "1"), rule("a", "2"), rule("c", "2")], enableAt: "CLIENT" });
  });
});

describe("reservedNames", () => {
  it("splits the property at commas and trims", () => {
    expect(reservedNames({ properties: { "confluent:reserved": "a, b,,c " } })).toEqual(["a", "b", "c"]);
    expect(reservedNames(null)).toEqual([]);
  });
});

describe("ruleSetProblem", () => {
  const domain = (rule: object): RuleSet => ({
    domainRules: [{ name: "r", type: "CEL", mode: "WRITE", ...rule }],
  });

  it.each([
    [
      { domainRules: [{ name: "r", type: "CEL" }], encodingRules: [{ name: "r", type: "CEL" }] },
      "Found rule with duplicate name 'r'",
    ],
    [domain({ name: undefined }), "Missing rule name"],
    [domain({ name: "" }), "Empty rule name"],
    [domain({ name: "r".repeat(257) }), "Rule name too long"],
    [domain({ name: "1r" }), "Illegal initial character in rule name: 1r"],
    [domain({ name: "r r" }), "Illegal character in rule name: r r"],
    [domain({ type: "" }), "Missing rule type"],
    [domain({ mode: "UPGRADE" }), "Domain rules can only be WRITE, READ, WRITEREAD"],
    [
      { migrationRules: [{ name: "r", type: "JSONATA", mode: "READ" }] },
      "Migration rules can only be UPGRADE, DOWNGRADE, UPDOWN",
    ],
    [domain({ onFailure: "ERROR,NONE" }), "Multiple actions only valid with WRITEREAD and UPDOWN"],
  ])("reports the problem of %j", (ruleSet, problem) => {
    expect(ruleSetProblem(ruleSet as RuleSet)).toBe(problem);
  });

  it("accepts names of 256 characters and paired actions if a rule runs both ways", () => {
    expect(
      ruleSetProblem(domain({ name: "r".repeat(256), mode: "WRITEREAD", onFailure: "ERROR,NONE" })),
    ).toBeUndefined();
  });
});
