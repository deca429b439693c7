/**
 * Divides documents into resources and resolves every reference: within the document, in registered references, or in a
 * published meta-schema, never over the network. Every walk is linear in the texts, and limited.
 */
import type { JsonDialect, ResolvedReference, SchemaProblem, SchemaSource } from "../../format.ts";
import {
  type JsonNode,
  type JsonObject,
  type JsonString,
  parseJsonText,
  pointerToken,
  unescapePointerToken,
} from "../../json-text.ts";
import {
  isSchemaNode,
  REFERENCE_KEYWORDS,
  type ReferenceKeyword,
  rootLocation,
  type SchemaDocument,
  type SchemaLocation,
  type SchemaResource,
  schemasIn,
} from "../model.ts";
import { DialectChoice } from "./dialect-choice.ts";
import { dialectOfUrl, idKeyword, ignoresRefSiblings, isAtLeast, SUBSCHEMA_KEYWORDS } from "./dialects.ts";
import { isKnownWord } from "./keywords.ts";
import { metaSchemaText } from "./meta-schemas.ts";
import { MAX_PROBLEMS, problemAt, quoted, TooComplexSchema } from "./problems.ts";
import { addFirst, closureByName, referencesByName } from "./ref-names.ts";
import type { UnknownWord } from "./silent-schema.ts";
import { MAX_URI_CHARACTERS, resolveUri, splitFragment } from "./uri.ts";
import { NO_KEYWORDS } from "./vocabularies.ts";

/**
 * Schemas in the document and its references together: three times as many as the largest published schema of 1 MiB
 * has.
 */
export const MAX_SCHEMA_NODES = 100_000;
/** References to follow in the document and its references together. */
export const MAX_FOLLOWED_REFERENCES = 50_000;
/** Unknown words that are checked for misspellings: each distinct one is compared with every keyword. */
const MAX_UNKNOWN_WORDS = 1_000;
/** Schemas with an `$id` of their own, in the document and its references together. */
export const MAX_RESOURCES = 10_000;
/**
 * Characters of all referenced documents: a tree takes about twenty bytes per character, and an isolate has 128 MB.
 */
export const MAX_CLOSURE_CHARACTERS = 4 * 1_048_576;

type OpenResource = SchemaResource & {
  anchors: Map<string, SchemaLocation>;
  dynamicAnchors: Map<string, SchemaLocation>;
};

type LoadedDocument = {
  document: SchemaDocument;
  source: SchemaSource;
  root: OpenResource;
  /** The resources inside this document, by URI. */
  uris: Map<string, SchemaResource>;
  /** This document's own references, by every spelling of their names. */
  references: ReadonlyMap<string, ResolvedReference>;
};

/** A regular expression, as a keyword's value or as a key of `patternProperties`. */
type PatternPlace = { source: string; node: JsonNode; pointer: string };

type PendingReference = { value: JsonString; keyword: ReferenceKeyword; location: SchemaLocation };
type Target = { location: SchemaLocation } | { rule: string; message: string };

/** A schema with everything it references. */
export class SchemaGraph {
  readonly resources = new Map<JsonNode, SchemaResource>();
  readonly targets = new Map<JsonNode, SchemaLocation>();
  readonly unresolved: SchemaProblem[] = [];
  readonly warnings: SchemaProblem[] = [];
  /**
   * Locations in the root document that are schemas only because they are referenced, such as those below unknown
   * keywords.
   */
  readonly foundByReference: SchemaLocation[] = [];
  /** The regular expressions of the root document. */
  readonly patterns: PatternPlace[] = [];
  /** Members of the root document's schemas that are not keywords of any dialect. */
  readonly unknownWords: UnknownWord[] = [];
  readonly main: LoadedDocument;

  readonly #dialects: DialectChoice;
  readonly #documents = new Map<SchemaDocument, LoadedDocument>();
  readonly #bySource = new Map<SchemaSource, LoadedDocument | undefined>();
  readonly #byUri = new Map<string, SchemaResource>();
  readonly #indexed = new Set<JsonNode>();
  readonly #pending: PendingReference[] = [];
  #closure: ReadonlyMap<string, ResolvedReference> | undefined;
  #closureIsLoaded = false;
  #characters = 0;
  #followed = 0;

  constructor(source: SchemaSource, root: JsonNode, defaultDialect: JsonDialect) {
    this.#dialects = new DialectChoice(defaultDialect, (characters) => this.#spend(characters));
    this.main = this.#open(source, root, null, "");
    this.#index(this.main.root.root, this.main.root, "");
    for (let next = this.#pending.pop(); next !== undefined; next = this.#pending.pop()) this.#resolve(next);
  }

  /** Characters of all referenced documents. */
  get characters(): number {
    return this.#characters;
  }

  #open(source: SchemaSource, root: JsonNode, name: string | null, retrievalUri: string): LoadedDocument {
    // The size of the schema itself has been limited by the caller.
    if (name !== null) this.#spend(source.text.length);
    const document: SchemaDocument = { name, text: source.text, root };
    const { dialect, ignored, unknown } = this.#dialects.of(root, source, retrievalUri);
    if (unknown !== undefined && name === null) {
      const message = `"$schema" names ${quoted(unknown.value)}, which is not a known dialect: the schema is read as ${dialect}.`;
      this.warnings.push(problemAt(document, "/$schema", unknown, "unknown_dialect", message));
    }
    const id = ownId(root, dialect);
    const baseUri = id === undefined ? retrievalUri : this.#absolute(retrievalUri, splitFragment(id).url);
    const resource = this.#addResource(document, root, "", baseUri, dialect, ignored);
    const loaded: LoadedDocument = {
      document,
      source,
      root: resource,
      uris: new Map([[baseUri, resource]]),
      references: referencesByName(source.references, baseUri),
    };
    this.#documents.set(document, loaded);
    this.#bySource.set(source, loaded);
    if (retrievalUri !== "") addFirst(this.#byUri, retrievalUri, resource);
    addFirst(this.#byUri, baseUri, resource);
    return loaded;
  }

  #spend(characters: number): void {
    this.#characters += characters;
    if (this.#characters <= MAX_CLOSURE_CHARACTERS) return;
    throw new TooComplexSchema(
      "too_many_characters",
      `The referenced schemas hold more than ${MAX_CLOSURE_CHARACTERS} characters.`,
    );
  }

  #addResource(
    document: SchemaDocument,
    root: JsonNode,
    pointer: string,
    baseUri: string,
    dialect: JsonDialect,
    ignored: ReadonlySet<string>,
  ): OpenResource {
    if (this.resources.size >= MAX_RESOURCES) {
      throw new TooComplexSchema("too_many_resources", `More than ${MAX_RESOURCES} schemas have an identifier.`);
    }
    const recursive = root.type === "object" ? root.members.get("$recursiveAnchor") : undefined;
    const resource: OpenResource = {
      document,
      root,
      pointer,
      baseUri,
      dialect,
      ignoredKeywords: ignored,
      anchors: new Map(),
      dynamicAnchors: new Map(),
      recursiveAnchor: dialect === "2019-09" && recursive?.type === "boolean" && recursive.value,
    };
    this.resources.set(root, resource);
    return resource;
  }

  /**
   * Walks one schema and its subschemas, recording resources, anchors and references. Recursion is bounded by the depth
   * of JSON texts.
   */
  #index(node: JsonNode, parent: SchemaResource, pointer: string): void {
    if (node.type !== "object" || this.#indexed.has(node)) return;
    this.#indexed.add(node);
    if (this.#indexed.size > MAX_SCHEMA_NODES) {
      throw new TooComplexSchema(
        "too_many_schemas",
        `The schema and its references hold more than ${MAX_SCHEMA_NODES} schemas.`,
      );
    }
    const { members } = node;
    const isReferenceOnly = ignoresRefSiblings(parent.dialect) && members.get("$ref")?.type === "string";
    const resource = isReferenceOnly ? (this.resources.get(node) ?? parent) : this.#identify(node, parent, pointer);
    const location: SchemaLocation = { node, resource, pointer };
    if (!isReferenceOnly && resource.document === this.main.document) this.#notePatterns(node, pointer);
    const shapes = SUBSCHEMA_KEYWORDS[resource.dialect];
    for (const [name, value] of members) {
      const shape = shapes.get(name);
      if (shape !== undefined) {
        // Definitions next to a `$ref` have no effect themselves, but other references may target them.
        if (isReferenceOnly && name !== "definitions" && name !== "$defs") continue;
        const below = `${pointer}/${name}`;
        for (const [key, child] of schemasIn(shape, value)) {
          if (child.type === "object") {
            this.#index(child, resource, key === null ? below : `${below}/${pointerToken(key)}`);
          }
        }
      } else if (!isKnownWord(name)) {
        this.#noteUnknown(name, value, location);
      } else if (value.type === "string" && isReferenceKeyword(name, resource.dialect)) {
        if (!resource.ignoredKeywords.has(name)) this.#pending.push({ value, keyword: name, location });
      }
    }
  }

  #noteUnknown(name: string, node: JsonNode, { resource, pointer }: SchemaLocation): void {
    if (resource.document !== this.main.document || this.unknownWords.length >= MAX_UNKNOWN_WORDS) return;
    this.unknownWords.push({ name, node, pointer: `${pointer}/${pointerToken(name)}` });
  }

  #notePatterns({ members }: JsonObject, pointer: string): void {
    const pattern = members.get("pattern");
    if (pattern?.type === "string") {
      this.patterns.push({ source: pattern.value, node: pattern, pointer: `${pointer}/pattern` });
    }
    const properties = members.get("patternProperties");
    if (properties?.type !== "object") return;
    for (const [source, node] of properties.members) {
      this.patterns.push({ source, node, pointer: `${pointer}/patternProperties/${pointerToken(source)}` });
    }
  }

  /** Assigns a schema its resource and its anchors. */
  #identify(node: JsonObject, parent: SchemaResource, pointer: string): SchemaResource {
    let resource = (this.resources.get(node) ?? parent) as OpenResource;
    const id = ownId(node, parent.dialect);
    const { url, fragment } = splitFragment(id ?? "");
    if (url !== "" && resource.root !== node) {
      const named = node.members.get("$schema");
      const dialect = (named?.type === "string" ? dialectOfUrl(named.value) : undefined) ?? parent.dialect;
      const ignored = dialect === parent.dialect ? parent.ignoredKeywords : NO_KEYWORDS;
      const baseUri = this.#absolute(parent.baseUri, url);
      resource = this.#addResource(parent.document, node, pointer, baseUri, dialect, ignored);
      const { uris } = this.#documents.get(parent.document)!;
      if (uris.has(baseUri)) this.#warnTwice(resource, pointer, node, `identifier ${quoted(baseUri)}`);
      addFirst(uris, baseUri, resource);
      addFirst(this.#byUri, baseUri, resource);
    }
    const location: SchemaLocation = { node, resource, pointer };
    if (!isAtLeast(resource.dialect, "2019-09")) {
      if (fragment !== null && fragment !== "" && !fragment.startsWith("/")) this.#addAnchor(fragment, location);
      return resource;
    }
    const anchor = node.members.get("$anchor");
    if (anchor?.type === "string") this.#addAnchor(anchor.value, location);
    const dynamic = node.members.get("$dynamicAnchor");
    if (dynamic?.type === "string" && resource.dialect === "2020-12") {
      addFirst(resource.dynamicAnchors, dynamic.value, location);
      if (anchor?.type !== "string" || anchor.value !== dynamic.value) this.#addAnchor(dynamic.value, location);
    }
    return resource;
  }

  #addAnchor(name: string, location: SchemaLocation): void {
    const { anchors } = location.resource as OpenResource;
    if (anchors.has(name))
      this.#warnTwice(location.resource, location.pointer, location.node, `anchor ${quoted(name)}`);
    addFirst(anchors, name, location);
  }

  #warnTwice(resource: SchemaResource, pointer: string, node: JsonNode, what: string): void {
    if (this.warnings.length >= MAX_PROBLEMS) return;
    this.warnings.push(
      problemAt(
        resource.document,
        pointer,
        node,
        "duplicate_identifier",
        `The ${what} is used twice: the first one is used.`,
      ),
    );
  }

  #absolute(base: string, url: string): string {
    if (url.length > MAX_URI_CHARACTERS) {
      throw new TooComplexSchema(
        "identifier_too_long",
        `The identifier ${quoted(url)} is longer than ${MAX_URI_CHARACTERS} characters.`,
      );
    }
    return resolveUri(base, url);
  }

  #resolve(reference: PendingReference): void {
    this.#followed += 1;
    if (this.#followed > MAX_FOLLOWED_REFERENCES) {
      throw new TooComplexSchema(
        "too_many_references",
        `More than ${MAX_FOLLOWED_REFERENCES} references are to be followed.`,
      );
    }
    const { location, value, keyword } = reference;
    const target = this.#find(location, value.value);
    if ("location" in target) {
      this.targets.set(value, target.location);
      if (this.#indexed.has(target.location.node)) return;
      if (target.location.resource.document === this.main.document && target.location.node.type === "object") {
        this.foundByReference.push(target.location);
      }
      this.#index(target.location.node, target.location.resource, target.location.pointer);
    } else if (this.unresolved.length < MAX_PROBLEMS) {
      const pointer = `${location.pointer}/${keyword}`;
      this.unresolved.push(problemAt(location.resource.document, pointer, value, target.rule, target.message));
    }
  }

  #find(from: SchemaLocation, reference: string): Target {
    const { url, fragment } = splitFragment(reference);
    const resource = url === "" ? from.resource : this.#findResource(from.resource, url);
    if (resource === undefined) {
      return {
        rule: "unresolved_reference",
        message: `${quoted(url)} is neither in this schema nor among its references: register it and add it to the references.`,
      };
    }
    if (fragment === null || fragment === "") return { location: rootLocation(resource) };
    const decoded = decodeFragment(fragment);
    if (decoded === undefined) {
      return { rule: "unresolved_reference", message: `${quoted(reference)} has a malformed percent-encoding.` };
    }
    const location = decoded.startsWith("/")
      ? (this.#walk(resource, decoded) ?? this.#walkFromDocument(resource, decoded))
      : resource.anchors.get(decoded);
    if (location === undefined) {
      return { rule: "unresolved_reference", message: `${quoted(reference)} does not resolve in ${where(resource)}.` };
    }
    if (!isSchemaNode(location.node)) {
      return {
        rule: "unresolved_reference",
        message: `${quoted(reference)} points to ${aOrAn(location.node.type)}, which is not a schema.`,
      };
    }
    return { location };
  }

  /**
   * Up to draft-07 many generated schemas put an `$id` on every property and still point from the document's root. By
   * the standard such a pointer does not resolve, so this interpretation is unambiguous.
   */
  #walkFromDocument(resource: SchemaResource, pointer: string): SchemaLocation | undefined {
    if (!ignoresRefSiblings(resource.dialect)) return undefined;
    return this.#walk(this.#documents.get(resource.document)!.root, pointer);
  }

  /** Follows a JSON pointer, switching resources if the pointer crosses into an embedded one. */
  #walk(start: SchemaResource, pointer: string): SchemaLocation | undefined {
    let node: JsonNode | undefined = start.root;
    let resource = start;
    for (const raw of pointer.slice(1).split("/")) {
      const token = unescapePointerToken(raw);
      if (node.type === "object") node = node.members.get(token);
      else if (node.type === "array") node = /^(0|[1-9]\d{0,9})$/.test(token) ? node.items[Number(token)] : undefined;
      else return undefined;
      if (node === undefined) return undefined;
      resource = this.resources.get(node) ?? resource;
    }
    return { node, resource, pointer: start.pointer + pointer };
  }

  #findResource(from: SchemaResource, url: string): SchemaResource | undefined {
    const loaded = this.#documents.get(from.document)!;
    const absolute = this.#absolute(from.baseUri, url);
    const inside = loaded.uris.get(absolute);
    if (inside !== undefined) return inside;
    const bare = url.startsWith("./") ? url.slice(2) : url;
    const registered =
      loaded.references.get(url) ?? loaded.references.get(bare) ?? loaded.references.get(absolute) ?? undefined;
    if (registered !== undefined) return this.#load(registered.source, registered.name, absolute)?.root;
    const elsewhere = this.#byUri.get(absolute);
    if (elsewhere !== undefined) return elsewhere;
    const closure = this.#closureByName();
    const indirect = closure.get(url) ?? closure.get(bare) ?? closure.get(absolute);
    if (indirect !== undefined) return this.#load(indirect.source, indirect.name, absolute)?.root;
    const metaSchema = metaSchemaText(absolute);
    if (metaSchema !== undefined) return this.#load({ text: metaSchema, references: [] }, absolute, absolute)?.root;
    this.#loadClosure();
    return this.#byUri.get(absolute);
  }

  /** Parses and indexes a document once, even if several names refer to it; undefined if it is not a JSON Schema. */
  #load(source: SchemaSource, name: string, retrievalUri: string): LoadedDocument | undefined {
    const known = this.#bySource.get(source);
    if (known !== undefined || this.#bySource.has(source)) return known;
    const parsed = parseJsonText(source.text);
    if (!parsed.ok || !isSchemaNode(parsed.value.root)) {
      this.#bySource.set(source, undefined);
      return undefined;
    }
    const loaded = this.#open(source, parsed.value.root, name, retrievalUri);
    this.#index(loaded.root.root, loaded.root, "");
    return loaded;
  }

  #closureByName(): ReadonlyMap<string, ResolvedReference> {
    this.#closure ??= closureByName(this.main.source, this.main.root.baseUri);
    return this.#closure;
  }

  /** The last resort: a registered reference whose own `$id` is what the `$ref` requests. */
  #loadClosure(): void {
    if (this.#closureIsLoaded) return;
    this.#closureIsLoaded = true;
    for (const { source, name } of this.#closureByName().values()) {
      this.#load(source, name, this.#absolute(this.main.root.baseUri, splitFragment(name).url));
    }
  }
}

function isReferenceKeyword(name: string, dialect: JsonDialect): name is ReferenceKeyword {
  if (!(REFERENCE_KEYWORDS as readonly string[]).includes(name)) return false;
  if (name === "$dynamicRef") return dialect === "2020-12";
  return name === "$ref" || dialect === "2019-09";
}

function ownId(node: JsonNode, dialect: JsonDialect): string | undefined {
  const id = node.type === "object" ? node.members.get(idKeyword(dialect)) : undefined;
  return id?.type === "string" ? id.value : undefined;
}

function decodeFragment(fragment: string): string | undefined {
  if (!fragment.includes("%")) return fragment;
  try {
    return decodeURIComponent(fragment);
  } catch {
    return undefined;
  }
}

function where({ baseUri, document }: SchemaResource): string {
  if (baseUri !== "") return quoted(baseUri);
  return document.name === null ? "this schema" : quoted(document.name);
}

function aOrAn(type: string): string {
  return type === "array" ? "an array" : type === "null" ? "null" : `a ${type}`;
}
