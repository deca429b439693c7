/** Resolves the references of a request. */

import { makeRefusal, type Refusal } from "../../../contract/errors.ts";
import type { Closure, RequestedReference } from "../../../registry/record.ts";
import { type FormatName, isArtefact, mayReference, type SchemaReference } from "../../../schema/format.ts";
import { compareCodeUnits } from "../../../schema/json-text.ts";
import { ok, type Result, refuse } from "../../../schema/result.ts";
import { printSubjectName } from "../../../schema/subject-name.ts";
import type { RecordRow, StateReader } from "../state/reader.ts";

/** Direct references of one schema: more than the largest known schemas have, at one look-up each. */
const MAX_DIRECT_REFERENCES = 1_000;

/** All references of one schema as JSON: they are stored in one row, and names may have any length. */
const MAX_REFERENCES_BYTES = 512 * 1024;

export type ResolvedReferences = { resolved: SchemaReference[]; targets: RecordRow[]; closures: Closure[] };

type ResolveOptions = {
  normalise: boolean;
  deleted: boolean;
  /**
   * For a new version of this format, which must not depend on another format or on a subject that belongs to a
   * resource.
   */
  newFormat?: FormatName | undefined;
};

type FoundReference = { reference: SchemaReference; target: RecordRow; closure: Closure };

/** With concrete versions, in the given order or, if normalised, sorted and without duplicates. */
export function resolveReferences(
  state: StateReader,
  context: string,
  requested: readonly RequestedReference[],
  options: ResolveOptions,
): Result<ResolvedReferences, Refusal> {
  const tooMany = referencesProblem(requested);
  if (tooMany) return refuse(tooMany);
  const found: FoundReference[] = [];
  for (const [index, reference] of requested.entries()) {
    const resolved = resolveReference(state, context, reference, `/references/${index}`, options);
    if (!resolved.ok) return resolved;
    found.push(resolved.value);
  }
  const ordered = options.normalise ? sortedDistinct(found) : found;
  return ok({
    resolved: ordered.map(({ reference }) => reference),
    targets: ordered.map(({ target }) => target),
    closures: ordered.map(({ closure }) => closure),
  });
}

function referencesProblem(requested: readonly RequestedReference[]): Refusal | undefined {
  const pointer = "/references";
  if (requested.length > MAX_DIRECT_REFERENCES) {
    const detail = `A schema has at most ${MAX_DIRECT_REFERENCES} direct references, this one has ${requested.length}.`;
    return makeRefusal("TOO_COMPLEX", [detail], detail, { items: [{ pointer, message: detail }] });
  }
  const bytes = Buffer.byteLength(JSON.stringify(requested));
  if (bytes <= MAX_REFERENCES_BYTES) return undefined;
  const detail = `The references have ${bytes} bytes as JSON; at most ${MAX_REFERENCES_BYTES} are accepted.`;
  return makeRefusal("UNPROCESSABLE", [detail], detail, { items: [{ pointer, rule: "maxBytes", message: detail }] });
}

function resolveReference(
  state: StateReader,
  context: string,
  reference: RequestedReference,
  pointer: string,
  { deleted, newFormat }: ResolveOptions,
): Result<FoundReference, Refusal> {
  const { name, subject } = reference;
  const target = state.referenceTarget(context, reference);
  if (!target || (target.deleted === 1 && !deleted)) {
    const detail = `No schema reference found for subject "${subject}" and version ${reference.version}`;
    const items = [{ pointer, rule: "reference_not_found", message: detail }];
    return refuse(makeRefusal("INVALID_SCHEMA", [detail], detail, { items }));
  }
  if (newFormat !== undefined && !mayReference(newFormat, target.format)) {
    const detail = `Reference "${name}" names a schema of format ${target.format}; a ${newFormat} can only reference ${isArtefact(newFormat) ? "JSON Schemas and other artefacts" : "schemas of its own format"}`;
    const items = [{ pointer, rule: "reference_format", message: detail }];
    return refuse(makeRefusal("INVALID_SCHEMA", [detail], detail, { items }));
  }
  if (newFormat !== undefined && state.associationsOf(target).some(({ lifecycle }) => lifecycle === "STRONG")) {
    const detail = `Subject '${printSubjectName(target)}' has a strong association and cannot be referenced`;
    return refuse(makeRefusal("OPERATION_NOT_PERMITTED", [detail], detail));
  }
  const closure = state.closure(target, target.context);
  if (!closure) {
    const detail = `Reference "${name}" reaches too many schemas.`;
    return refuse(makeRefusal("TOO_COMPLEX", [detail], detail, { items: [{ pointer, message: detail }] }));
  }
  return ok({ reference: { name, subject, version: target.number! }, target, closure });
}

function sortedDistinct<T extends { reference: SchemaReference }>(found: readonly T[]): T[] {
  const byKey = new Map(found.map((item) => [referenceKey(item.reference), item]));
  return [...byKey.values()].sort(
    ({ reference: a }, { reference: b }) =>
      compareCodeUnits(a.name, b.name) || compareCodeUnits(a.subject, b.subject) || a.version - b.version,
  );
}

export function referenceKey({ name, subject, version }: SchemaReference): string {
  return JSON.stringify([name, subject, version]);
}
