/** Text to model: syntax, dialect, references and meta-schema, in that order, then warnings for suspicious parts. */

import type { ParseOptions, ParseResult, SchemaProblem, SchemaSource } from "../../format.ts";
import { type JsonNode, parseJsonText, pointerToken, positionAt } from "../../json-text.ts";
import { ok, refuse } from "../../result.ts";
import { passesMicros, runAtOnce, type Sliced } from "../../slices.ts";
import { describeToolDefinition, findToolDefinition, TOOL_DEFINITION_RULE } from "../../tool-definition.ts";
import { isSchemaNode, type JsonSchemaModel, rootLocation, type SchemaDocument } from "../model.ts";
import { topLevelNames } from "../text/fields.ts";
import { compilePattern, isValidPattern, MAX_PATTERN_CHARACTERS } from "../validate/patterns.ts";
import { checkMetaSchema } from "./metaschema.ts";
import { documentPosition, MAX_PROBLEMS, problemAt, quoted, TooComplexSchema } from "./problems.ts";
import { SchemaGraph } from "./resolve-refs.ts";
import { silenceWarnings } from "./silent-schema.ts";

/** Parses a JSON Schema together with the registered references it uses. */
export function parseJsonSchema(source: SchemaSource, options: ParseOptions): ParseResult<JsonSchemaModel> {
  return runAtOnce(parseInSlices(source, options));
}

/** The same in slices, pausing between its passes. */
export function* parseInSlices(source: SchemaSource, options: ParseOptions): Sliced<ParseResult<JsonSchemaModel>> {
  const { length } = source.text;
  const parsed = parseJsonText(source.text);
  yield passesMicros(length);
  if (!parsed.ok)
    return refuse({ reason: parsed.refusal.reason, problems: [{ pointer: "", ...parsed.refusal.problem }] });
  const { root } = parsed.value;
  if (!isSchemaNode(root)) {
    return refused(invalidRoot(source.text, root));
  }
  let graph: SchemaGraph;
  try {
    graph = new SchemaGraph(source, root, options.defaultDialect);
  } catch (error) {
    if (!(error instanceof TooComplexSchema)) throw error;
    return refuse({ reason: "too_complex", problems: [{ rule: error.rule, message: error.message, pointer: "" }] });
  }
  yield passesMicros(length + graph.characters);
  const { document, root: resource } = graph.main;
  const model: JsonSchemaModel = {
    root: rootLocation(resource),
    document,
    resources: graph.resources,
    targets: graph.targets,
  };
  const warnings = [...graph.warnings, ...duplicateKeys(document, parsed.value.duplicates)];
  if (options.strictness === "stored") {
    return ok({ model, warnings: [...warnings, ...graph.unresolved] });
  }
  const problems = [...graph.unresolved];
  checkMetaSchema(document, root, resource.dialect, "", problems);
  for (const { node, resource: owner, pointer } of graph.foundByReference) {
    checkMetaSchema(document, node, owner.dialect, pointer, problems);
  }
  yield passesMicros(length);
  if (options.validateFields) problems.push(...reservedNames(model));
  if (problems.length > 0) return refused(problems);
  const silence = silenceWarnings(document, root, graph.unknownWords);
  return ok({
    model,
    warnings: [...warnings, ...invalidPatterns(document, graph), ...unevaluatedPatterns(document, graph), ...silence],
  });
}

/** A list of tools is the one array that is often sent by mistake; the message points to the schemas inside it. */
function invalidRoot(text: string, root: JsonNode): SchemaProblem[] {
  const tool = findToolDefinition(root);
  if (tool === undefined) {
    const message = `A JSON Schema is an object or a boolean, not ${root.type === "array" ? "an array" : root.type}.`;
    return [{ rule: "invalid_root", message, pointer: "", ...positionAt(text, root.start) }];
  }
  const message = describeToolDefinition(tool);
  return tool.schemas.map(({ pointer, node }) => ({
    rule: TOOL_DEFINITION_RULE,
    message,
    pointer,
    ...positionAt(text, node.start),
  }));
}

function refused(problems: SchemaProblem[]): ParseResult<JsonSchemaModel> {
  const ordered = problems.sort((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0));
  return refuse({ reason: "invalid", problems: ordered.slice(0, MAX_PROBLEMS) });
}

function duplicateKeys(document: SchemaDocument, offsets: readonly number[]): SchemaProblem[] {
  return offsets.slice(0, MAX_PROBLEMS).map((offset) => ({
    rule: "duplicate_key",
    message: "This key repeats an earlier key of the same object: the last value is used.",
    ...documentPosition(document, offset),
  }));
}

/** Names starting with `$$` are reserved for serializers. */
function reservedNames(model: JsonSchemaModel): SchemaProblem[] {
  return topLevelNames(model)
    .filter((name) => name.startsWith("$$"))
    .slice(0, MAX_PROBLEMS)
    .map((name) => {
      const message = `The top-level property ${quoted(name)} starts with "$$", which is reserved.`;
      return problemAt(model.document, `/properties/${pointerToken(name)}`, model.root.node, "reserved_name", message);
    });
}

/** Maximum number of patterns compiled as a check. A pattern takes up to 5 ms. */
const MAX_COMPILED_PATTERNS = 20;

/** Patterns that validation cannot evaluate, because no linear-time engine can; other engines may hang on them. */
function unevaluatedPatterns(document: SchemaDocument, graph: SchemaGraph): SchemaProblem[] {
  return graph.patterns
    .filter(({ source }) => isSuspicious(source))
    .slice(0, MAX_COMPILED_PATTERNS)
    .flatMap(({ source, node, pointer }) => {
      const compiled = compilePattern(source);
      if (compiled.ok || compiled.refusal.reason === "invalid") return [];
      const message = `Validation cannot evaluate the pattern ${quoted(source)}: ${compiled.refusal.message}`;
      return [problemAt(document, pointer, node, "pattern_not_evaluated", message)];
    });
}

/** The engine can fail only on back references, long patterns and counted repetitions. */
function isSuspicious(source: string): boolean {
  return /\\[1-9k]|\{\d{3}/.test(source) || source.length > MAX_PATTERN_CHARACTERS / 8;
}

/** Patterns that ECMA-262 refuses with the `u` flag only warn, because validators differ. */
function invalidPatterns(document: SchemaDocument, graph: SchemaGraph): SchemaProblem[] {
  return graph.patterns
    .filter(({ source }) => !isValidPattern(source))
    .slice(0, MAX_PROBLEMS)
    .map(({ source, node, pointer }) => {
      const message = `The pattern ${quoted(source)} is not a valid ECMA-262 regular expression with the "u" flag.`;
      return problemAt(document, pointer, node, "invalid_pattern", message);
    });
}
