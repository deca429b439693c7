/** The two schemas between which answers are converted: the projected one, and the registered one. */

import type { JsonSchemaModel, SchemaLocation } from "../json/model.ts";
import { parseJsonSchema } from "../json/parse/parse.ts";
import { validateAt } from "../json/validate/validate.ts";
import { nodeAtPointer } from "../json-text.ts";
import type { BranchStep, Decoder, DecodeStep } from "./decoder.ts";

export class AnswerContext {
  readonly decoder: Decoder;
  readonly registered: JsonSchemaModel;
  readonly #projected: JsonSchemaModel | undefined;

  constructor(decoder: Decoder, registered: JsonSchemaModel) {
    this.decoder = decoder;
    this.registered = registered;
    if (decoder.schema === undefined) return;
    const source = { text: JSON.stringify(decoder.schema), references: [] };
    const parsed = parseJsonSchema(source, { strictness: "stored", defaultDialect: "2020-12" });
    if (parsed.ok) this.#projected = parsed.value.model as JsonSchemaModel;
  }

  definition(name: string): DecodeStep | undefined {
    const { definitions } = this.decoder;
    return definitions !== undefined && Object.hasOwn(definitions, name) ? definitions[name] : undefined;
  }

  /** Whether a branch of the projected schema accepts a value. */
  takesProjected({ schema }: BranchStep, value: unknown): boolean {
    const model = this.#projected;
    const node = model && nodeAtPointer(model.document.root, schema);
    if (model === undefined || node === undefined) return false;
    return takes(model, { node, resource: model.root.resource, pointer: schema }, value);
  }

  /** Whether the registered schemas of a branch accept a value. */
  takesRegistered({ registered }: BranchStep, value: unknown): boolean {
    return registered.every((pointer) => {
      const location = this.#locationAt(pointer);
      return location === undefined || takes(this.registered, location, value);
    });
  }

  #locationAt(text: string): SchemaLocation | undefined {
    const known = this.#locations.get(text);
    if (known !== undefined) return known;
    const hash = text.startsWith("/") || text === "" ? -1 : text.lastIndexOf("#");
    const name = hash === -1 ? null : text.slice(0, hash);
    const pointer = text.slice(hash + 1);
    const documents = [...this.registered.resources.values()].filter(({ document }) => document.name === name);
    const [root] = documents;
    const node = root && nodeAtPointer(root.document.root, pointer);
    if (root === undefined || node === undefined) return undefined;
    // The resource that contains the location is the one whose own pointer is the longest prefix of it.
    const owners = documents.filter((one) => pointer === one.pointer || pointer.startsWith(`${one.pointer}/`));
    const resource = owners.reduce((a, b) => (b.pointer.length > a.pointer.length ? b : a), owners[0] ?? root);
    const location = { node, resource, pointer };
    this.#locations.set(text, location);
    return location;
  }

  readonly #locations = new Map<string, SchemaLocation>();
}

function takes(model: JsonSchemaModel, location: SchemaLocation, value: unknown): boolean {
  const validation = validateAt(model, location, value, { formats: true });
  return validation.ok && validation.value.valid;
}
