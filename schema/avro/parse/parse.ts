/** Parses a schema text and its references into a model, or reports everything wrong with it. */

import type {
  ParseOptions,
  ParseRefusal,
  ParseResult,
  ResolvedReference,
  SchemaProblem,
  SchemaSource,
  Strictness,
} from "../../format.ts";
import { parseJsonText, positionAt } from "../../json-text.ts";
import { ok, type Result, refuse } from "../../result.ts";
import { passesMicros, runAtOnce, type Sliced } from "../../slices.ts";
import type { AvroModel, AvroNamedType, AvroType } from "../model.ts";
import { findTooDeepType, MAX_RESOLVED_DEPTH } from "./nesting.ts";
import { MAX_PROBLEMS, ProblemLog, TooComplexError } from "./problems.ts";
import { TypeParser } from "./type-parser.ts";

/** The registry's own limit on the references one schema can reach. */
export const MAX_REFERENCED_TEXTS = 5_000;
/** The cost of reading a text, and the types in it. */
const PASSES = 2;

type TextResult = Result<{ root: AvroType; warnings: SchemaProblem[] }, ParseRefusal>;

/** Parses a schema text. Named types of all direct and transitive references are visible to it by full name. */
export function parseAvro(source: SchemaSource, options: ParseOptions): ParseResult<AvroModel> {
  return runAtOnce(parseInSlices(source, options));
}

/** The same in slices, pausing after each text. */
export function* parseInSlices(source: SchemaSource, options: ParseOptions): Sliced<ParseResult<AvroModel>> {
  const external = new Map<string, AvroNamedType>();
  const warnings: SchemaProblem[] = [];
  for (const reference of inOrderOfUse(source)) {
    if (reference === null) return refuse(tooManyReferences());
    const parsed = parseText(reference.source.text, external, "stored");
    yield passesMicros(reference.source.text.length, PASSES);
    if (!parsed.ok) return refuse(inReference(reference, parsed.refusal));
    if (!external.has(reference.name)) {
      warnings.push({
        rule: "reference_without_type",
        message: `Reference "${reference.name}" (${placeOf(reference)}) does not define a type of that name.`,
      });
    }
  }
  const types = new Map(external);
  const parsed = parseText(source.text, types, options.strictness);
  yield passesMicros(source.text.length, PASSES);
  if (!parsed.ok) return parsed;
  const { root } = parsed.value;
  if (options.validateFields === true) {
    const reserved = root.kind === "record" ? root.fields.find(({ name }) => name.startsWith("$$")) : undefined;
    if (reserved !== undefined) {
      const message = `Field "${reserved.name}" starts with the reserved prefix "$$".`;
      return refuse({ reason: "invalid", problems: [{ rule: "reserved_field_prefix", message }] });
    }
  }
  const deep = external.size > 0 ? findTooDeepType(root) : null;
  if (deep !== null) {
    return refuse({
      reason: "too_complex",
      problems: [
        {
          rule: "references_too_deep",
          message: `With its references written out, the schema nests deeper than ${MAX_RESOLVED_DEPTH} levels, at type "${deep}".`,
        },
      ],
    });
  }
  return ok({ model: { root, external }, warnings: [...warnings, ...parsed.value.warnings] });
}

/** Parses one text and adds the types it defines to `types`. */
function parseText(text: string, types: Map<string, AvroNamedType>, strictness: Strictness): TextResult {
  const json = parseJsonText(text, { allowComments: true });
  if (!json.ok) return refuse({ reason: json.refusal.reason, problems: [explainBareName(text, json.refusal.problem)] });
  const log = new ProblemLog(text);
  try {
    const root = new TypeParser(log, types, strictness).schema(json.value.root);
    if (log.problems.length > 0) return refuse({ reason: "invalid", problems: log.problems });
    const duplicates = json.value.duplicates.slice(0, MAX_PROBLEMS).map((offset) => ({
      rule: "duplicate_key",
      message: "An object has a duplicate key; the last value is used.",
      ...positionAt(text, offset),
    }));
    return ok({ root, warnings: [...duplicates, ...log.warnings] });
  } catch (error) {
    if (error instanceof TooComplexError) return refuse({ reason: "too_complex", problems: [error.problem] });
    throw error;
  }
}

function explainBareName(text: string, problem: SchemaProblem): SchemaProblem {
  const name = text.length < 1000 ? /^\s*([\w.]+)\s*$/.exec(text)?.[1] : undefined;
  if (name === undefined) return problem;
  return { ...problem, message: `A schema that is only a name must be a JSON string: "${name}".` };
}

/**
 * Yields each referenced text once, after the texts it references itself. If a name is used twice, its first meaning wins.
 * Yields null and stops when there are too many.
 */
function* inOrderOfUse(source: SchemaSource): Generator<ResolvedReference | null> {
  const seen = new Set<string>();
  const read = new Set<SchemaSource>();
  type Step = { references: readonly ResolvedReference[]; next: number; reference: ResolvedReference | null };
  const path: Step[] = [{ references: source.references, next: 0, reference: null }];
  for (let step = path.at(-1); step !== undefined; step = path.at(-1)) {
    const reference = step.references[step.next];
    step.next += 1;
    if (reference === undefined) {
      path.pop();
      // One text may be referenced under several of the names it defines.
      if (step.reference !== null && !read.has(step.reference.source)) {
        read.add(step.reference.source);
        yield step.reference;
      }
    } else if (!seen.has(reference.name)) {
      seen.add(reference.name);
      if (seen.size > MAX_REFERENCED_TEXTS) {
        yield null;
        return;
      }
      path.push({ references: reference.source.references, next: 0, reference });
    }
  }
}

function tooManyReferences(): ParseRefusal {
  const message = `The schema reaches more than ${MAX_REFERENCED_TEXTS} referenced texts.`;
  return { reason: "too_complex", problems: [{ rule: "too_many_references", message }] };
}

/** Puts pointers into the message: as positions they would be mistaken for positions in the main text. */
function inReference(reference: ResolvedReference, refusal: ParseRefusal): ParseRefusal {
  const problems = refusal.problems.map(({ rule, message, pointer }) => ({
    rule,
    message: `In reference "${reference.name}" (${placeOf(reference)})${pointer ? ` at ${pointer}` : ""}: ${message}`,
  }));
  return { ...refusal, problems };
}

function placeOf({ subject, version }: ResolvedReference): string {
  return `subject "${subject}", version ${version}`;
}
