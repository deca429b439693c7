import { EMPTY_RULE_BOOK, RULE_ACTIONS, type RuleBook, ruleBookProblems } from "../../schema/rules/rule-book.ts";
import { isObject } from "../is-object.ts";
import { cannotRead, UsageError } from "../usage-error.ts";

type Shape = Readonly<Record<string, "string" | "strings" | "action" | "time">>;

/** The fields of each list, spelled as in the registry's API; `?` marks optional ones. */
const SHAPES: Readonly<Record<keyof RuleBook, Shape>> = {
  rules: { name: "string", expr: "string", action: "action", "message?": "string" },
  overrides: { pointer: "string", "kinds?": "strings", action: "action", "message?": "string" },
  exceptions: {
    name: "string",
    "pointer?": "string",
    "kinds?": "strings",
    owner: "string",
    reason: "string",
    expires_at: "time",
  },
};

/** Reads a rule book in the form that `GET /subjects/{s}/rules` returns, or a part of it. */
export function readRuleFile(file: string | undefined, readFile: (path: string) => string): RuleBook {
  if (file === undefined) return EMPTY_RULE_BOOK;
  const value = parse(file, readFile);
  const book = {
    rules: listOf(file, value, "rules"),
    overrides: listOf(file, value, "overrides"),
    exceptions: listOf(file, value, "exceptions").map(({ expires_at, ...exception }) => ({
      ...exception,
      expiresAtMs: Date.parse(expires_at as string),
    })),
  } as unknown as RuleBook;
  const problems = ruleBookProblems(book);
  if (problems.length > 0) {
    throw new UsageError(problems.map(({ pointer, message }) => `${file}${pointer}: ${message}`).join("\n"));
  }
  return book;
}

function parse(file: string, readFile: (path: string) => string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(readFile(file));
  } catch (error) {
    throw cannotRead(file, error);
  }
  if (isObject(value)) return value;
  throw new UsageError(`${file}: A rule book is an object with rules, overrides and exceptions.`);
}

function listOf(file: string, book: Record<string, unknown>, list: keyof RuleBook): Record<string, unknown>[] {
  const items = book[list] ?? [];
  if (!Array.isArray(items)) throw new UsageError(`${file}/${list}: Expected a list.`);
  return items.map((item: unknown, index) => {
    if (!isObject(item)) throw new UsageError(`${file}/${list}/${index}: Expected an object.`);
    const known: Record<string, unknown> = {};
    for (const [field, type] of Object.entries(SHAPES[list])) {
      const name = field.replace("?", "");
      if (item[name] === undefined && field.endsWith("?")) continue;
      const expected = problemOf(item[name], type);
      if (expected) throw new UsageError(`${file}/${list}/${index}/${name}: Expected ${expected}.`);
      known[name] = item[name];
    }
    return known;
  });
}

function problemOf(value: unknown, type: Shape[string]): string | undefined {
  switch (type) {
    case "string":
      return typeof value === "string" ? undefined : "text";
    case "strings":
      return Array.isArray(value) && value.every((item) => typeof item === "string") ? undefined : "a list of strings";
    case "action":
      return RULE_ACTIONS.some((action) => action === value) ? undefined : `one of ${RULE_ACTIONS.join(", ")}`;
    case "time":
      return typeof value === "string" && Number.isFinite(Date.parse(value))
        ? undefined
        : "a time such as 2027-03-01T00:00:00Z";
  }
}
