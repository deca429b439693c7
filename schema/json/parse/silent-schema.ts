/**
 * Warnings for schemas that constrain less than intended: validators ignore unknown keywords, and so accept everything.
 */
import type { SchemaProblem } from "../../format.ts";
import type { JsonNode, JsonObject } from "../../json-text.ts";
import { nearestWord } from "../../spelling.ts";
import { describeToolDefinition, findToolDefinition, TOOL_DEFINITION_RULE } from "../../tool-definition.ts";
import type { SchemaDocument } from "../model.ts";
import { DEFINITION_KEYWORDS, isConstraining, KEYWORDS, NAMING_KEYWORDS } from "./keywords.ts";
import { MAX_PROBLEMS, problemAt, quoted } from "./problems.ts";

/** A member of a schema that is not a keyword of any dialect. */
export type UnknownWord = { name: string; node: JsonNode; pointer: string };

export function silenceWarnings(
  document: SchemaDocument,
  root: JsonNode,
  unknown: readonly UnknownWord[],
): SchemaProblem[] {
  const tool = findToolDefinition(root);
  if (tool !== undefined) {
    const message = describeToolDefinition(tool);
    const parts = tool.schemas.length === 0 ? [{ pointer: "", node: root }] : tool.schemas;
    return parts
      .slice(0, MAX_PROBLEMS)
      .map(({ pointer, node }) => problemAt(document, pointer, node, TOOL_DEFINITION_RULE, message));
  }
  const misspelled = misspelledKeywords(document, unknown);
  if (misspelled.length > 0 || root.type !== "object" || !saysNothing(root)) return misspelled;
  const message =
    "No keyword of this schema constrains anything, so every value is valid. If that is intended, write true or {}.";
  return [problemAt(document, "", root, "constrains_nothing", message)];
}

/** A schema with nothing but names is intentional, and one with definitions is a library. */
function saysNothing({ members }: JsonObject): boolean {
  const keys = [...members.keys()].filter((key) => !NAMING_KEYWORDS.has(key));
  return keys.length > 0 && !keys.some((key) => isConstraining(key) || DEFINITION_KEYWORDS.has(key));
}

function misspelledKeywords(document: SchemaDocument, unknown: readonly UnknownWord[]): SchemaProblem[] {
  const guesses = new Map<string, string | undefined>();
  const problems: SchemaProblem[] = [];
  for (const { name, node, pointer } of unknown) {
    if (!guesses.has(name)) guesses.set(name, nearestWord(name, KEYWORDS));
    const meant = guesses.get(name);
    if (meant === undefined) continue;
    const message = `${quoted(name)} is not a keyword and is ignored. Did you mean "${meant}"?`;
    problems.push(problemAt(document, pointer, node, "misspelled_keyword", message));
    if (problems.length >= MAX_PROBLEMS) break;
  }
  return problems;
}
