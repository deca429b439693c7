/**
 * The changes between two schemas, keyword by keyword, whether or not they break: for humans, and for version numbers.
 * Both schemas are walked in parallel; a rename or move appears as a removal and an addition.
 */
import type { Difference } from "../../../compatibility.ts";
import { type JsonNode, pointerToken } from "../../../json-text.ts";
import type { Sliced } from "../../../slices.ts";
import type { JsonSchemaModel } from "../../model.ts";
import { equalityKey, equalityKeys } from "../../validate/equality.ts";
import { compareDecimals, isMultipleOf } from "../decimal.ts";
import { LIMIT_KINDS, type LimitKeyword } from "../limit-kinds.ts";
import { type ChangeKind, changeMessage, PRESENCE_KINDS, REST_KINDS, SINGLE_KINDS } from "./change-kinds.ts";
import type { Inclusion } from "./inclusion.ts";
import { TYPE, unaliased, type View, type ViewMap } from "./view.ts";

/** Changes that do not break by themselves: the listed ones, and their total number. */
type Changes = { readonly listed: readonly Difference[]; readonly total: number };

/** Every change that is not already reported as a breaking difference; at most `limit` of them are listed. */
export function* changesBetween(
  inclusion: Inclusion,
  models: { reader: JsonSchemaModel; writer: JsonSchemaModel },
  isReported: (reader: string | null, writer: string | null) => boolean,
  limit: number,
): Sliced<Changes> {
  const walk = new ChangeWalk(inclusion, isReported, limit);
  walk.compare(inclusion.views.root("writer"), inclusion.views.root("reader"));
  yield* walk.run();
  walk.definitions(models.reader, models.writer);
  return { listed: walk.changes, total: walk.total };
}

/** Keywords that do not constrain values, with the kind of their change. */
const ANNOTATIONS: Record<string, ChangeKind> = {
  $id: "ID_CHANGED",
  id: "ID_CHANGED",
  $comment: "COMMENT_CHANGED",
  title: "TITLE_CHANGED",
  description: "DESCRIPTION_CHANGED",
  default: "DEFAULT_CHANGED",
  examples: "EXAMPLES_CHANGED",
  deprecated: "DEPRECATED_CHANGED",
  readOnly: "READ_ONLY_CHANGED",
  writeOnly: "WRITE_ONLY_CHANGED",
  contentEncoding: "CONTENT_CHANGED",
  contentMediaType: "CONTENT_CHANGED",
  contentSchema: "CONTENT_CHANGED",
};

/** Keywords that the walk handles itself, or that only affect how a schema is organised. */
const COMPARED = new Set(
  `type enum const minimum maximum exclusiveMinimum exclusiveMaximum multipleOf minLength maxLength pattern format
  properties patternProperties additionalProperties unevaluatedProperties propertyNames required minProperties maxProperties
  dependencies dependentRequired dependentSchemas items prefixItems additionalItems unevaluatedItems contains minContains
  maxContains minItems maxItems uniqueItems allOf anyOf oneOf not if then else $ref $dynamicRef $recursiveRef $anchor
  $dynamicAnchor $recursiveAnchor $defs definitions $schema $vocabulary`.split(/\s+/),
);

type CountKeyword = Exclude<LimitKeyword, "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum">;

/** Bytes of a remembered pair. */
const PAIR_BYTES = 200;

/** The pointer of a definition at the schema's root. */
const DEFINITION = /^\/(?:definitions|\$defs)\/[^/]*$/;

class ChangeWalk {
  readonly changes: Difference[] = [];
  total = 0;
  readonly #visited = new Map<View, Set<View>>();
  readonly #queue: [View, View][] = [];
  /** Definitions without subschemas, which are not among the pairs. */
  readonly #reachedDefinitions = new Set<string>();

  readonly inclusion: Inclusion;
  readonly isReported: (reader: string | null, writer: string | null) => boolean;
  readonly limit: number;

  constructor(
    inclusion: Inclusion,
    isReported: (reader: string | null, writer: string | null) => boolean,
    limit: number,
  ) {
    this.inclusion = inclusion;
    this.isReported = isReported;
    this.limit = limit;
  }

  /** Deferred, in the order of discovery, because references may nest deeply. */
  compare(writer: View, reader: View): void {
    if (writer === reader) return;
    if (writer.isLeaf && reader.isLeaf) {
      // Not remembered: it has no subschemas to revisit, and there may be thousands.
      this.inclusion.meter.spend(1, reader.pointer);
      if (DEFINITION.test(writer.pointer)) this.#reachedDefinitions.add(writer.pointer);
      this.#own(writer, reader);
      this.#objects(writer, reader);
      return;
    }
    const partners = this.#visited.get(writer) ?? new Set();
    if (partners.has(reader)) return;
    this.inclusion.meter.keep(PAIR_BYTES, reader.pointer);
    this.#visited.set(writer, partners.add(reader));
    this.#queue.push([writer, reader]);
  }

  *run(): Sliced<void> {
    const { meter } = this.inclusion;
    for (let next = 0; next < this.#queue.length; next += 1) {
      const [writer, reader] = this.#queue[next]!;
      meter.spend(1 + (writer.properties.size + reader.properties.size) / 8, reader.pointer);
      if (meter.isSliceOver()) yield meter.takeMicros();
      const [w, r] = withoutAliases(writer, reader);
      if (w !== writer || r !== reader) {
        this.#annotations(writer, reader);
        this.compare(w, r);
        continue;
      }
      this.#own(w, r);
      this.#objects(w, r);
      this.#parts(w, r);
    }
  }

  /** The changes in what the two say about the value itself. */
  #own(writer: View, reader: View): void {
    this.#annotations(writer, reader);
    this.#values(writer, reader);
    this.#limits(writer, reader);
  }

  /** Unreferenced definitions, such as those of a type library. */
  definitions(reader: JsonSchemaModel, writer: JsonSchemaModel): void {
    const visited = new Set([...this.#visited.keys()].map(({ pointer }) => pointer));
    for (const pointer of this.#reachedDefinitions) visited.add(pointer);
    for (const keyword of ["definitions", "$defs"]) {
      const before = membersOf(writer.root.node, keyword);
      const after = membersOf(reader.root.node, keyword);
      for (const [name, node] of before) {
        const other = after.get(name);
        const pointer = `/${keyword}/${pointerToken(name)}`;
        if (other === undefined) this.#add("DEFINITION_REMOVED", null, pointer);
        else if (!visited.has(pointer) && equalityKey(node) !== equalityKey(other)) {
          this.#add("DEFINITION_CHANGED", pointer, pointer);
        }
      }
      for (const name of after.keys()) {
        if (!before.has(name)) this.#add("DEFINITION_ADDED", `/${keyword}/${pointerToken(name)}`, null);
      }
    }
  }

  #add(kind: ChangeKind, reader: string | null, writer: string | null): void {
    if (this.isReported(reader, writer)) return;
    this.total += 1;
    if (this.changes.length >= this.limit) return;
    const severity = kind === "DEFAULT_CHANGED" ? "warning" : "info";
    this.changes.push({ kind, reader_pointer: reader, writer_pointer: writer, message: changeMessage(kind), severity });
  }

  #annotations(writer: View, reader: View): void {
    const before = ownMembers(writer);
    const after = ownMembers(reader);
    for (const [name, value] of before) {
      if (COMPARED.has(name)) continue;
      const other = after.get(name);
      if (other === undefined) this.#add(annotationKind(name), null, writer.at(name));
      else if (!areEqual(value, other)) this.#add(annotationKind(name), reader.at(name), writer.at(name));
    }
    for (const name of after.keys()) {
      if (!before.has(name) && !COMPARED.has(name)) this.#add(annotationKind(name), reader.at(name), null);
    }
  }

  #values(writer: View, reader: View): void {
    if (writer.constant !== reader.constant) {
      const kind =
        reader.constant === false ? "SCHEMA_REFUSES_ALL" : reader.isTrivial ? "SCHEMA_REMOVED" : "SCHEMA_ADDED";
      if (!(writer.isTrivial && reader.isTrivial && writer.constant !== false && reader.constant !== false)) {
        this.#add(kind, reader.pointer, writer.pointer);
      }
      return;
    }
    if (writer.types !== reader.types) {
      const [w, r] = [writer.types ?? ALL, reader.types ?? ALL];
      const kind = (w & ~r) === 0 ? "TYPE_EXTENDED" : (r & ~w) === 0 ? "TYPE_NARROWED" : "TYPE_CHANGED";
      this.#add(
        kind,
        reader.types === undefined ? null : reader.at("type"),
        writer.types === undefined ? null : writer.at("type"),
      );
    }
    this.#enumeration(writer, reader);
    const [w, r] = [writer.constantValue, reader.constantValue];
    this.#presence("const", writer, reader, w && equalityKey(w), r && equalityKey(r));
    this.#presence("pattern", writer, reader, writer.pattern, reader.pattern);
    this.#presence("format", writer, reader, writer.format, reader.format);
  }

  #enumeration(writer: View, reader: View): void {
    const before = writer.enumeration && equalityKeys(writer.enumeration);
    const after = reader.enumeration && equalityKeys(reader.enumeration);
    if (before === undefined || after === undefined) {
      if (after) this.#add("ENUM_ARRAY_ADDED", reader.at("enum"), null);
      else if (before) this.#add("ENUM_ARRAY_REMOVED", null, writer.at("enum"));
      return;
    }
    const lost = [...before].some((key) => !after.has(key));
    const gained = [...after].some((key) => !before.has(key));
    if (lost || gained) {
      const kind = lost ? (gained ? "ENUM_ARRAY_CHANGED" : "ENUM_ARRAY_NARROWED") : "ENUM_ARRAY_EXTENDED";
      this.#add(kind, reader.at("enum"), writer.at("enum"));
    }
  }

  /** A keyword that was added, removed or changed. */
  #presence(
    keyword: keyof typeof PRESENCE_KINDS,
    writer: View,
    reader: View,
    before: string | undefined,
    after: string | undefined,
  ): void {
    if (before === after) return;
    const kinds = PRESENCE_KINDS[keyword];
    if (before === undefined) this.#add(kinds.added, reader.at(keyword), null);
    else if (after === undefined) this.#add(kinds.removed, null, writer.at(keyword));
    else this.#add(kinds.changed, reader.at(keyword), writer.at(keyword));
  }

  #limits(writer: View, reader: View): void {
    for (const side of ["minimum", "maximum"] as const) this.#bound(writer, reader, side);
    const [before, after] = [writer.multipleOf, reader.multipleOf];
    if (before && after) {
      if (compareDecimals(before, after) !== 0) {
        const isReduced = isMultipleOf(before, after);
        const others = isReduced ? "MULTIPLE_OF_REDUCED" : "MULTIPLE_OF_CHANGED";
        this.#add(
          isMultipleOf(after, before) ? "MULTIPLE_OF_EXPANDED" : others,
          reader.at("multipleOf"),
          writer.at("multipleOf"),
        );
      }
    } else if (after) this.#add("MULTIPLE_OF_ADDED", reader.at("multipleOf"), null);
    else if (before) this.#add("MULTIPLE_OF_REMOVED", null, writer.at("multipleOf"));
    for (const least of ["minLength", "minItems", "minProperties"] as const) this.#limit(writer, reader, least, 0);
    for (const most of ["maxLength", "maxItems", "maxProperties"] as const)
      this.#limit(writer, reader, most, undefined);
    if (writer.contains && reader.contains) {
      this.#limit(writer, reader, "minContains", 1);
      this.#limit(writer, reader, "maxContains", undefined);
    }
    if (writer.uniqueItems !== reader.uniqueItems) {
      if (reader.uniqueItems) this.#add("UNIQUE_ITEMS_ADDED", reader.at("uniqueItems"), null);
      else this.#add("UNIQUE_ITEMS_REMOVED", null, writer.at("uniqueItems"));
    }
  }

  #bound(writer: View, reader: View, side: "minimum" | "maximum"): void {
    const [before, after] = [writer[side], reader[side]];
    if (before && after) {
      const order = compareDecimals(before.limit, after.limit);
      if (order === 0 && before.exclusive === after.exclusive) return;
      const grows = order < 0 || (order === 0 && after.exclusive === (side === "minimum"));
      this.#add(
        LIMIT_KINDS[after.keyword][grows ? "increased" : "decreased"],
        reader.at(after.keyword),
        writer.at(before.keyword),
      );
    } else if (after) this.#add(LIMIT_KINDS[after.keyword].added, reader.at(after.keyword), null);
    else if (before) this.#add(LIMIT_KINDS[before.keyword].removed, null, writer.at(before.keyword));
  }

  #limit(writer: View, reader: View, keyword: CountKeyword, absent: number | undefined): void {
    const [before, after] = [writer[keyword], reader[keyword]];
    if (before === after) return;
    const kinds = LIMIT_KINDS[keyword];
    if (before === absent) this.#add(kinds.added, reader.at(keyword), null);
    else if (after === absent) this.#add(kinds.removed, null, writer.at(keyword));
    else this.#add(before! < after! ? kinds.increased : kinds.decreased, reader.at(keyword), writer.at(keyword));
  }

  #objects(writer: View, reader: View): void {
    for (const name of reader.properties.keys()) {
      if (writer.properties.has(name)) continue;
      const isRequired = reader.required.includes(name);
      this.#add(
        isRequired ? "REQUIRED_PROPERTY_ADDED" : "OPTIONAL_PROPERTY_ADDED",
        reader.at("properties", name),
        null,
      );
    }
    for (const name of writer.properties.keys()) {
      if (!reader.properties.has(name)) this.#add("PROPERTY_REMOVED", null, writer.at("properties", name));
    }
    const [before, after] = [new Set(writer.required), new Set(reader.required)];
    for (const [index, name] of reader.required.entries()) {
      const isNew = reader.properties.has(name) && !writer.properties.has(name);
      if (!before.has(name) && !isNew) this.#add("REQUIRED_ATTRIBUTE_ADDED", reader.at("required", index), null);
    }
    for (const [index, name] of writer.required.entries()) {
      const isGone = writer.properties.has(name) && !reader.properties.has(name);
      if (!after.has(name) && !isGone) this.#add("REQUIRED_ATTRIBUTE_REMOVED", null, writer.at("required", index));
    }
    for (const name of new Set([...writer.dependentRequired.keys(), ...reader.dependentRequired.keys()])) {
      const [w, r] = [writer.dependentRequired.get(name), reader.dependentRequired.get(name)];
      if (r === undefined) this.#add("DEPENDENCY_ARRAY_REMOVED", null, writer.at("dependentRequired", name));
      else if (w === undefined) this.#add("DEPENDENCY_ARRAY_ADDED", reader.at("dependentRequired", name), null);
      else if (w.length !== r.length || w.some((other) => !r.includes(other))) {
        this.#add(
          "DEPENDENCY_ARRAY_CHANGED",
          reader.at("dependentRequired", name),
          writer.at("dependentRequired", name),
        );
      }
    }
  }

  #parts(writer: View, reader: View): void {
    this.#map(writer.properties, reader.properties);
    this.#map(writer.patternProperties, reader.patternProperties);
    for (const pattern of reader.patternProperties.keys()) {
      if (!writer.patternProperties.has(pattern))
        this.#add("PATTERN_PROPERTY_ADDED", reader.at("patternProperties", pattern), null);
    }
    for (const pattern of writer.patternProperties.keys()) {
      if (!reader.patternProperties.has(pattern))
        this.#add("PATTERN_PROPERTY_REMOVED", null, writer.at("patternProperties", pattern));
    }
    this.#map(writer.dependentSchemas, reader.dependentSchemas);
    for (const name of new Set([...writer.dependentSchemas.keys(), ...reader.dependentSchemas.keys()])) {
      if (!writer.dependentSchemas.has(name))
        this.#add("DEPENDENCY_SCHEMA_ADDED", reader.at("dependentSchemas", name), null);
      if (!reader.dependentSchemas.has(name))
        this.#add("DEPENDENCY_SCHEMA_REMOVED", null, writer.at("dependentSchemas", name));
    }
    for (const field of REST) this.#rest(writer, reader, field);
    for (const field of SINGLE) this.#single(writer, reader, field);
    const tuple = Math.max(writer.prefixItems.length, reader.prefixItems.length);
    for (let index = 0; index < tuple; index += 1) {
      const [w, r] = [writer.prefixItems[index], reader.prefixItems[index]];
      if (w && r) this.compare(w(), r());
      else if (r) this.#add("ITEM_ADDED", reader.at("prefixItems", index), null);
      else this.#add("ITEM_REMOVED", null, writer.at("prefixItems", index));
    }
    for (const keyword of ["allOf", "anyOf", "oneOf"] as const) this.#members(writer, reader, keyword);
    this.#references(writer, reader);
  }

  #map(writer: ViewMap, reader: ViewMap): void {
    for (const [name, schema] of writer) {
      const other = reader.get(name);
      if (other) this.compare(schema(), other());
    }
  }

  /** The schema for undeclared parts: absent and true are the same, false allows nothing, anything else constrains. */
  #rest(writer: View, reader: View, field: keyof typeof REST_KINDS): void {
    const [w, r] = [writer[field]?.(), reader[field]?.()];
    const [before, after] = [openness(w), openness(r)];
    const place = (view: View, schema: View | undefined) => (schema === undefined ? null : view.at(field));
    if (w && r && before === after) this.compare(w, r);
    else if (before !== after) {
      const kind =
        before === "closed" ? "added" : after === "closed" ? "removed" : after === "open" ? "extended" : "narrowed";
      const isList = field === "items" && writer.prefixItems.length + reader.prefixItems.length === 0;
      const widens = kind === "added" || kind === "extended";
      if (isList) this.#add(widens ? "SCHEMA_REMOVED" : "SCHEMA_ADDED", place(reader, r), place(writer, w));
      else this.#add(REST_KINDS[field][kind], place(reader, r), place(writer, w));
    }
  }

  #single(writer: View, reader: View, field: (typeof SINGLE)[number]): void {
    const [w, r] = [writer[field], reader[field]];
    const { keyword, added, removed } = SINGLE_KINDS[field];
    if (w && r) this.compare(w(), r());
    else if (r) this.#add(added, reader.at(keyword), null);
    else if (w) this.#add(removed, null, writer.at(keyword));
  }

  /** Members with equal text are paired first, the others in order. */
  #members(writer: View, reader: View, keyword: "allOf" | "anyOf" | "oneOf"): void {
    const before = writer[keyword].map((view, index) => ({ view: view(), index }));
    const after = reader[keyword].map((view, index) => ({ view: view(), index }));
    const written = new Map(after.map((each) => [textKey(each.view), each]));
    const left = before.filter((each) => {
      const key = textKey(each.view);
      const same = written.get(key);
      if (same === undefined) return true;
      written.delete(key);
      this.compare(each.view, same.view);
      return false;
    });
    const rest = [...written.values()];
    for (const [position, each] of left.entries()) {
      const other = rest[position];
      if (other) this.compare(each.view, other.view);
      else
        this.#add(
          keyword === "allOf" ? "PRODUCT_TYPE_NARROWED" : "SUM_TYPE_NARROWED",
          null,
          writer.at(keyword, each.index),
        );
    }
    for (const each of rest.slice(left.length)) {
      this.#add(
        keyword === "allOf" ? "PRODUCT_TYPE_EXTENDED" : "SUM_TYPE_EXTENDED",
        reader.at(keyword, each.index),
        null,
      );
    }
  }

  #references(writer: View, reader: View): void {
    const count = Math.max(writer.references.length, reader.references.length);
    for (let index = 0; index < count; index += 1) {
      const [w, r] = [writer.references[index], reader.references[index]];
      if (w && r) this.compare(w(), r());
      else if (r) this.#add("REFERENCE_ADDED", reader.at("$ref"), null);
      else this.#add("REFERENCE_REMOVED", null, writer.at("$ref"));
    }
  }
}

/**
 * Follows references and lone `allOf` members, unless both sides have them and one has more: then they are compared
 * unresolved.
 */
function withoutAliases(writer: View, reader: View): [View, View] {
  const isOne = (writer.alias === undefined) !== (reader.alias === undefined);
  const areAlike =
    (writer.references.length > 0 && reader.references.length > 0) ||
    (writer.allOf.length > 0 && reader.allOf.length > 0);
  return isOne && areAlike ? [writer, reader] : [unaliased(writer), unaliased(reader)];
}

const ALL = Object.values(TYPE).reduce((bits, bit) => bits | bit, 0);

const SINGLE = ["propertyNames", "contains", "not", "condition", "consequence", "alternative"] as const;

const REST = ["additionalProperties", "unevaluatedProperties", "items", "unevaluatedItems"] as const;

function openness(schema: View | undefined): "open" | "closed" | "partial" {
  if (schema === undefined) return "open";
  const view = unaliased(schema);
  if (view.constant === false) return "closed";
  return view.isTrivial ? "open" : "partial";
}

function annotationKind(name: string): ChangeKind {
  return Object.hasOwn(ANNOTATIONS, name) ? ANNOTATIONS[name]! : "ANNOTATION_CHANGED";
}

/** Most annotations are strings, which need no key. */
function areEqual(a: JsonNode, b: JsonNode): boolean {
  if (a.type === "string" && b.type === "string") return a.value === b.value;
  return a.type === b.type && equalityKey(a) === equalityKey(b);
}

function textKey({ location }: View): string {
  return location ? equalityKey(location.node) : "";
}

function ownMembers(view: View): ReadonlyMap<string, JsonNode> {
  const node = view.location?.node;
  return node?.type === "object" ? node.members : NO_MEMBERS;
}

const NO_MEMBERS: ReadonlyMap<string, JsonNode> = new Map();

function membersOf(node: JsonNode, keyword: string): ReadonlyMap<string, JsonNode> {
  const value = node.type === "object" ? node.members.get(keyword) : undefined;
  return value?.type === "object" ? value.members : NO_MEMBERS;
}
