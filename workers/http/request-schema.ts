/** Checks parsed JSON against a schema of the contract's document, and says in plain words what is wrong and what would be accepted. */
import { type OutputUnit, type Schema, Validator } from "@cfworker/json-schema";
import type { ErrorItem } from "../../contract/errors";

export type ContractSchema = Readonly<Record<string, unknown>>;
export type CheckBody = (value: unknown) => ErrorItem[];

/** More reasons than this help nobody. */
export const MAX_REPORTED_ITEMS = 20;

/** `components` are the document's schemas, which `schema` may refer to. */
export function compileBodyCheck(schema: ContractSchema, components: Readonly<Record<string, unknown>>): CheckBody {
  const local = JSON.parse(
    JSON.stringify({ ...schema, $defs: components }).replaceAll("#/components/schemas/", "#/$defs/"),
  ) as Schema;
  const validator = new Validator(local, "2020-12", false);
  return (value) => {
    const { valid, errors } = validator.validate(value);
    return valid ? [] : explain(errors).slice(0, MAX_REPORTED_ITEMS);
  };
}

/** Units that only say that a unit below them says something. */
const WRAPPERS = new Set(["$ref", "properties", "items", "additionalProperties"]);

function explain(units: readonly OutputUnit[]): ErrorItem[] {
  const items: ErrorItem[] = [];
  for (let index = 0; index < units.length; index += 1) {
    const unit = units[index]!;
    if (WRAPPERS.has(unit.keyword)) continue;
    if (unit.keyword !== "anyOf") {
      items.push({ pointer: pointerOf(unit), rule: ruleOf(unit), message: messageOf(unit) });
      continue;
    }
    const below = units
      .slice(index + 1)
      .filter((other) => other.keywordLocation.startsWith(`${unit.keywordLocation}/`));
    items.push(...explainAlternatives(unit, below));
    index += below.length;
  }
  return items;
}

/** The alternatives in one sentence where each fails as a whole; otherwise the reasons of the one that comes closest. */
function explainAlternatives(unit: OutputUnit, below: readonly OutputUnit[]): ErrorItem[] {
  const branches = new Map<string, OutputUnit[]>();
  for (const other of below) {
    const branch = other.keywordLocation.slice(unit.keywordLocation.length + 1).split("/", 1)[0]!;
    branches.set(branch, [...(branches.get(branch) ?? []), other]);
  }
  const explained = [...branches.values()].map(explain);
  const shallow = explained.filter((items) => items.every(({ pointer }) => pointer === pointerOf(unit)));
  const wrongType = (items: ErrorItem[]) => items.some(({ rule }) => rule === "type");
  const deeper = explained.filter(
    (items) => !wrongType(items) && !items.every(({ rule }) => rule === "enum" || rule === "const"),
  );
  if (deeper.length > 0) return deeper.reduce((closest, items) => (items.length < closest.length ? items : closest));
  const accepted = shallow.map((items) => items[0]!.message.replace(/^Expected /, "").replace(/\.$/, ""));
  return [{ pointer: pointerOf(unit), rule: "anyOf", message: `Expected ${[...new Set(accepted)].join(", or ")}.` }];
}

function pointerOf({ instanceLocation }: OutputUnit): string {
  // Locations are URI fragments: a pointer with percent-encoding.
  const fragment = instanceLocation.slice(1);
  try {
    return decodeURIComponent(fragment);
  } catch {
    return fragment;
  }
}

function ruleOf({ keyword }: OutputUnit): string {
  return keyword === "false" ? "unknown_field" : keyword;
}

function messageOf({ keyword, error }: OutputUnit): string {
  const quoted = [...error.matchAll(/"([^"]*)"/g)].map(([, text]) => text);
  switch (keyword) {
    case "false":
      return "This field is not known here.";
    case "required":
      return `The field ${JSON.stringify(quoted[0])} is missing.`;
    case "type":
      return `Expected ${quoted.slice(1).join(" or ")}, got ${quoted[0]}.`;
    case "enum":
      return `Expected one of ${error
        .replace(/^[^[]*\[/, "")
        .replace(/\]\.?$/, "")
        .replaceAll(",", ", ")}.`;
    case "const":
      return `Expected ${error.replace("Instance does not match ", "")}`;
    case "minProperties":
      return "At least one field is needed.";
    default:
      return error;
  }
}
