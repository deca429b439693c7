/** A self-contained JSON Schema: its references are inlined, so every `$ref` points into the text itself. */

import type { SchemaProblem } from "../../format.ts";
import { type JsonNode, type JsonObject, pointerToken, writeJsonText } from "../../json-text.ts";
import { ok, type Result, refuse } from "../../result.ts";
import { type JsonSchemaModel, type SchemaDocument, type SchemaLocation, schemasIn } from "../model.ts";
import { idKeyword, ignoresRefSiblings, SUBSCHEMA_KEYWORDS } from "../parse/dialects.ts";

/** Maximum number of schemas in a bundle, over all documents. */
const MAX_INLINED_SCHEMAS = 100_000;

export function bundleJsonSchema(model: JsonSchemaModel): Result<string, SchemaProblem> {
  const bundler = new Bundler(model);
  const root = bundler.bundle();
  return bundler.problem === undefined ? ok(writeJsonText(root)) : refuse(bundler.problem);
}

class Bundler {
  problem: SchemaProblem | undefined;
  readonly #model: JsonSchemaModel;
  readonly #container: "$defs" | "definitions";
  readonly #names = new Map<SchemaDocument, string>();
  readonly #queue: SchemaDocument[] = [];
  #schemas = 0;

  constructor(model: JsonSchemaModel) {
    this.#model = model;
    this.#container = ignoresRefSiblings(model.root.resource.dialect) ? "definitions" : "$defs";
  }

  bundle(): JsonNode {
    const { root } = this.#model;
    const written = this.#schema(root);
    if (written.type !== "object") return written;
    const own = written.members.get(this.#container);
    const inlined = new Map(own?.type === "object" ? own.members : []);
    for (const document of this.#queue) {
      const resource = this.#model.resources.get(document.root);
      if (resource === undefined) continue;
      inlined.set(this.#names.get(document)!, this.#schema({ node: document.root, resource, pointer: "" }));
    }
    if (inlined.size > 0) written.members.set(this.#container, { type: "object", start: 0, members: inlined });
    return written;
  }

  /** Recursion is bounded by the depth of JSON texts. */
  #schema(location: SchemaLocation): JsonNode {
    this.#schemas += 1;
    if (this.#schemas > MAX_INLINED_SCHEMAS) {
      this.#fail("too_complex", `The bundle has more than ${MAX_INLINED_SCHEMAS} schemas.`, location);
    }
    const { node, resource } = location;
    if (node.type !== "object" || this.problem !== undefined) return node;
    if (resource.dialect !== this.#model.root.resource.dialect) {
      this.#fail("dialect", "Schemas of two dialects cannot be combined in one text.", location);
    }
    if (resource.ignoredKeywords.size > 0) {
      this.#fail(
        "vocabulary",
        "Its custom meta-schema disables keywords, and a bundle cannot include a meta-schema.",
        location,
      );
    }
    const members = new Map<string, JsonNode>();
    for (const [name, value] of node.members) {
      if (name === idKeyword(resource.dialect) && node !== this.#model.root.node && value.type === "string") continue;
      if (name === "$schema" && node !== this.#model.root.node) continue;
      members.set(name, this.#member(location, name, value));
    }
    return { type: "object", start: node.start, members };
  }

  #member(location: SchemaLocation, name: string, value: JsonNode): JsonNode {
    if (name === "$ref" && value.type === "string") return this.#reference(location, value);
    if (name === "$dynamicRef" || name === "$recursiveRef") {
      this.#fail(
        "dynamic_reference",
        `A "${name}" depends on the location of the schemas, which a bundle changes.`,
        location,
      );
      return value;
    }
    const shape = SUBSCHEMA_KEYWORDS[location.resource.dialect].get(name);
    if (shape === undefined) return value;
    const written = new Map<JsonNode, JsonNode>();
    for (const [key, child] of schemasIn(shape, value)) {
      const pointer = `${location.pointer}/${pointerToken(name)}${key === null ? "" : `/${pointerToken(key)}`}`;
      const resource = this.#model.resources.get(child) ?? location.resource;
      written.set(child, this.#schema({ node: child, resource, pointer }));
    }
    return replaced(value, written);
  }

  #reference(location: SchemaLocation, value: JsonNode): JsonNode {
    const target = this.#model.targets.get(value);
    if (target === undefined) {
      this.#fail("unresolved_reference", "A reference leads nowhere.", location);
      return value;
    }
    const { document } = target.resource;
    const fragment = `${this.#prefixOf(document)}${target.pointer}`;
    return { type: "string", start: 0, value: `#${encodeURI(fragment)}` };
  }

  #prefixOf(document: SchemaDocument): string {
    if (document === this.#model.document) return "";
    let name = this.#names.get(document);
    if (name === undefined) {
      name = this.#freeName(document.name ?? "schema");
      this.#names.set(document, name);
      this.#queue.push(document);
    }
    return `/${this.#container}/${pointerToken(name)}`;
  }

  /** The document's own name, unless the schema has a definition of that name. */
  #freeName(wanted: string): string {
    const own = this.#model.root.node;
    const container = own.type === "object" ? own.members.get(this.#container) : undefined;
    const taken = new Set([...(container?.type === "object" ? container.members.keys() : []), ...this.#names.values()]);
    let name = wanted;
    for (let count = 2; taken.has(name); count += 1) name = `${wanted}_${count}`;
    return name;
  }

  #fail(rule: string, message: string, { pointer, resource }: SchemaLocation): void {
    const place = resource.document.name === null ? pointer : `${resource.document.name}#${pointer}`;
    this.problem ??= { rule, message, pointer: place };
  }
}

/** A keyword's value with its schemas replaced. */
function replaced(value: JsonNode, written: ReadonlyMap<JsonNode, JsonNode>): JsonNode {
  const whole = written.get(value);
  if (whole !== undefined) return whole;
  if (value.type === "array") return { ...value, items: value.items.map((item) => written.get(item) ?? item) };
  if (value.type !== "object") return value;
  const members = [...value.members].map(([key, member]) => [key, written.get(member) ?? member] as const);
  return { ...value, members: new Map(members) } satisfies JsonObject;
}
