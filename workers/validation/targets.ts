/**
 * The parsed schema for a validation: by id, guid or Confluent id from the content class, by subject and version from
 * the record class.
 */
import { makeRefusal, type Refusal } from "../../contract/errors.ts";
import type { AsOf } from "../../registry/log-entry.ts";
import { type SchemaRecord, schemaNotFound } from "../../registry/record.ts";
import type { ContentHash } from "../../schema/content-hash.ts";
import type { FormatName, JsonDialect, SchemaFormat, SchemaReference, SchemaSource } from "../../schema/format.ts";
import { formatNamed } from "../../schema/formats.ts";
import { ok, type Result, refuse } from "../../schema/result.ts";
import { DEFAULT_CONTEXT } from "../../schema/subject-name.ts";
import type { Edge } from "../edge.ts";
import { type ContentSelector, readContent } from "../read-path/content.ts";
import type { Source } from "../read-path/read-through.ts";
import type { Consistency } from "../read-path/records.ts";
import { goneMeanwhile } from "../read-path/texts.ts";
import { NATIVE_DIALECT } from "../registry/native-dialect.ts";
import { isId, readBySelector } from "../registry/read/read.ts";
import { parseContext } from "../registry/read/subject-names.ts";
import { sourceOfClosure, type TextSource } from "../registry/write/facts.ts";
import { Heat } from "./heat.ts";

export type TargetSelector =
  | { id: string }
  | { guid: string }
  | { confluentId: number; context: string | undefined }
  | { subject: string; context: string | undefined; version: string };

/**
 * A schema with its model. Immutable except for its heat, and shared by all requests of its tenant in this isolate.
 */
export type Target = {
  format: SchemaFormat<unknown>;
  model: unknown;
  source: SchemaSource;
  dialect: JsonDialect | null;
  /** The cache key of everything derived from the schema. */
  closureKey: string;
  heat: Heat;
};

/** `record` if the caller gave a version; contents by id have no record. */
export type FoundTarget = {
  target: Target;
  contentHash: ContentHash;
  context: string;
  record: SchemaRecord | null;
  asOf: AsOf;
  source: Source;
};

/**
 * A closure may be deleted and re-created with other contents, so one with references is looked up again after this
 * time.
 */
const CLOSURE_FRESH_MS = 60 * 1_000;

type Known = { target: Target; closureReadAtMs: number };

export async function readTarget(
  edge: Edge,
  selector: TargetSelector,
  consistency: Consistency,
): Promise<Result<FoundTarget, Refusal>> {
  if ("subject" in selector) {
    const { subject, context, version } = selector;
    const read = await readBySelector(edge, { subject, context, version, deleted: false }, consistency);
    if (!read.ok) return read;
    const { record, text, asOf, source } = read.value;
    const target = await openTarget(edge, { ...record, text: text.text });
    if (!target.ok) return target;
    return ok({
      target: target.value,
      contentHash: record.contentHash,
      context: record.context,
      record,
      asOf,
      source,
    });
  }
  const wanted = contentSelector(selector);
  if (!wanted.ok) return wanted;
  const found = await readContent(edge, { selector: wanted.value, token: consistency.token });
  if (!found.ok) return found;
  if ("absent" in found.value) return refuse(contentNotFound(selector));
  const { value: content, asOf, source } = found.value;
  const target = await openTarget(edge, content);
  if (!target.ok) return target;
  const { contentHash, context } = content;
  return ok({ target: target.value, contentHash, context, record: null, asOf, source });
}

function contentSelector(selector: Exclude<TargetSelector, { subject: string }>): Result<ContentSelector, Refusal> {
  if ("id" in selector) return isId(selector.id) ? ok(selector) : refuse(schemaNotFound(selector.id));
  if ("guid" in selector) return ok(selector);
  if (selector.context === undefined) return ok({ context: DEFAULT_CONTEXT, confluentId: selector.confluentId });
  const parsed = parseContext(selector.context);
  return parsed.ok ? ok({ context: parsed.value, confluentId: selector.confluentId }) : parsed;
}

function contentNotFound(selector: Exclude<TargetSelector, { subject: string }>): Refusal {
  if ("id" in selector) return schemaNotFound(selector.id);
  const [name, value] = "guid" in selector ? ["guid", selector.guid] : ["Confluent id", String(selector.confluentId)];
  return makeRefusal("SCHEMA_NOT_FOUND", [value], `There is no schema with ${name} ${value}.`);
}

type Content = {
  contentHash: ContentHash;
  format: FormatName;
  dialect: JsonDialect | null;
  references: readonly SchemaReference[];
  context: string;
  text: string;
};

/** The dependencies of parsing a stored schema with its references. */
export type TargetSource = TextSource & Pick<Edge, "models" | "work" | "now">;

export async function openTarget(edge: TargetSource, content: Content): Promise<Result<Target, Refusal>> {
  const { contentHash, dialect, references, context, text } = content;
  const key = `${edge.tenant}\n${context}\n${contentHash}\n${dialect}`;
  const known = edge.models.get(key) as Known | undefined;
  const nowMs = edge.now();
  if (known && (references.length === 0 || nowMs - known.closureReadAtMs < CLOSURE_FRESH_MS)) return ok(known.target);
  let source: SchemaSource = { text, references: [] };
  let closureKey: string = contentHash;
  if (references.length > 0) {
    const answer = await edge.primary.read("closure", { contentHash, context });
    if (!answer.ok) return answer;
    const { value: closure } = answer.value;
    if (closure === null) return refuse(goneMeanwhile());
    closureKey = closure.hash;
    const resolved =
      known?.target.closureKey === closureKey ? known.target.source : await sourceOfClosure(edge, closure);
    if (resolved === undefined) return refuse(goneMeanwhile());
    source = resolved;
  }
  const same = known?.target.closureKey === closureKey ? known.target : undefined;
  const target = same === undefined ? await parseTarget(edge, content, source, closureKey) : ok(same);
  if (target.ok) edge.models.put(key, { target: target.value, closureReadAtMs: nowMs }, countCharacters(source));
  return target;
}

async function parseTarget(
  { work }: Pick<Edge, "work">,
  { format: name, dialect }: Content,
  source: SchemaSource,
  closureKey: string,
): Promise<Result<Target, Refusal>> {
  const format = formatNamed(name);
  const options = { strictness: "stored", defaultDialect: dialect ?? NATIVE_DIALECT } as const;
  const parsed = await work.run(format.parseInSlices(source, options));
  if (parsed.ok) return ok({ format, model: parsed.value.model, source, dialect, closureKey, heat: new Heat() });
  const detail = parsed.refusal.problems[0]?.message ?? "The schema can no longer be read.";
  return refuse(
    makeRefusal(parsed.refusal.reason === "too_complex" ? "TOO_COMPLEX" : "INVALID_SCHEMA", [detail], detail),
  );
}

/** A source shared by several references is counted once. */
function countCharacters(root: SchemaSource): number {
  const sources = new Set([root]);
  let characters = 0;
  for (const source of sources) {
    characters += source.text.length;
    for (const reference of source.references) sources.add(reference.source);
  }
  return characters;
}
