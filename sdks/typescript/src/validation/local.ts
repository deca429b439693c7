/** Validation in this process: a schema is read once, prepared once, and decides as the registry would. */
import type { SchemaContent } from "../models.js";
import { compileJsonSchema, type LocalResult, type ResolvedReference, type SchemaText } from "./json-schema-engine.js";

export type LocalValidator = (data: unknown) => LocalResult | undefined;

/** How deep references may lead; the registry's own bound on a closure is checked at registration. */
const MAX_REFERENCE_DEPTH = 100;

export class LocalValidators {
  /** Beside the content, and gone with it. */
  readonly #prepared = new WeakMap<SchemaContent, Promise<LocalValidator | undefined>>();

  prepare(content: SchemaContent, readVersion: ReadVersion): Promise<LocalValidator | undefined> {
    const known = this.#prepared.get(content);
    if (known !== undefined) return known;
    const preparing = prepare(content, readVersion);
    this.#prepared.set(content, preparing);
    preparing.catch(() => this.#prepared.delete(content));
    return preparing;
  }
}

/** Reads what a reference names: a subject's version never changes its content. */
export type ReadVersion = (
  subject: string,
  version: number,
) => Promise<Pick<SchemaContent, "content" | "dialect" | "references">>;

async function prepare(content: SchemaContent, readVersion: ReadVersion): Promise<LocalValidator | undefined> {
  if (content.format !== "json-schema") return undefined;
  return compileJsonSchema(await resolve(content, readVersion, 0));
}

async function resolve(
  content: Pick<SchemaContent, "content" | "dialect" | "references">,
  readVersion: ReadVersion,
  depth: number,
): Promise<SchemaText> {
  if (depth > MAX_REFERENCE_DEPTH) throw new RangeError(`References lead deeper than ${MAX_REFERENCE_DEPTH} schemas.`);
  const references: ResolvedReference[] = [];
  for (const { name, subject, version } of content.references) {
    const schema = await resolve(await readVersion(subject, version), readVersion, depth + 1);
    references.push({ name, subject, version, schema });
  }
  return { text: JSON.stringify(content.content), dialect: content.dialect ?? "2020-12", references };
}
