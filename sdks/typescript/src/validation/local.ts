/** Validation in this process: a schema is read once, prepared once, and decides as the registry would. */
import type { SchemaContent } from "../models.js";
import { compileJsonSchema, type LocalResult } from "./json-schema-engine.js";

export type LocalValidator = (data: unknown) => LocalResult | undefined;

/** Reads a content with its references inlined by the registry; undefined if the registry cannot do that. */
export type ReadBundled = () => Promise<Pick<SchemaContent, "content" | "dialect"> | undefined>;

export class LocalValidators {
  /** Stored with the content, and evicted with it. */
  readonly #prepared = new WeakMap<SchemaContent, Promise<LocalValidator | undefined>>();

  prepare(content: SchemaContent, readBundled: ReadBundled): Promise<LocalValidator | undefined> {
    const known = this.#prepared.get(content);
    if (known !== undefined) return known;
    const preparing = prepare(content, readBundled);
    this.#prepared.set(content, preparing);
    preparing.catch(() => this.#prepared.delete(content));
    return preparing;
  }
}

/** Names and bare subjects resolve relative to the referring schema, so the registry resolves references. */
async function prepare(content: SchemaContent, readBundled: ReadBundled): Promise<LocalValidator | undefined> {
  if (content.format !== "json-schema") return undefined;
  const whole = content.references.length === 0 ? content : await readBundled();
  return whole && compileJsonSchema({ text: JSON.stringify(whole.content), dialect: whole.dialect ?? "2020-12" });
}
