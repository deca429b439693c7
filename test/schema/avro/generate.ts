/**
 * Generates Avro schemas from a seed, and changed copies of them. The generator covers every kind of type and
 * attribute, the changes every kind of difference (a test counts them).
 */
import type { SeededRandom } from "../../../schema/avro/witness/sample.ts";

export type Tree =
  | { kind: "primitive"; type: string; logicalType?: Record<string, unknown> }
  | { kind: "array" | "map"; of: Tree }
  | { kind: "union"; branches: Tree[] }
  | { kind: "reference"; name: string }
  | NamedTree;
type NamedTree = { name: string; namespace: string; aliases: string[]; doc?: string } & (
  | { kind: "record"; fields: FieldTree[] }
  | { kind: "enum"; symbols: string[]; default?: string }
  | { kind: "fixed"; size: number; logicalType?: Record<string, unknown> }
);
type FieldTree = { name: string; of: Tree; hasDefault: boolean; aliases: string[]; doc?: string; order?: string };

const PRIMITIVES = ["null", "boolean", "int", "long", "float", "double", "bytes", "string"];
const LOGICAL_TYPES: Record<string, Record<string, unknown>[]> = {
  int: [{ logicalType: "date" }, { logicalType: "time-millis" }],
  long: [
    { logicalType: "time-micros" },
    { logicalType: "timestamp-millis" },
    { logicalType: "timestamp-micros" },
    { logicalType: "timestamp-nanos" },
    { logicalType: "local-timestamp-millis" },
  ],
  bytes: [
    { logicalType: "decimal", precision: 6, scale: 2 },
    { logicalType: "decimal", precision: 4, scale: 2 },
    { logicalType: "decimal", precision: 6, scale: 3 },
    { logicalType: "big-decimal" },
  ],
  string: [{ logicalType: "uuid" }],
};
const SYMBOLS = ["A", "B", "C", "D", "E"];
const FIELD_NAMES = ["a", "b", "c", "d", "e"];
const NAMESPACES = ["", "n", "n.m"];

/**
 * The named types so far. The records being defined are used only where a datum can end: inside an array, a map or a
 * union with null.
 */
type Names = { all: string[]; open: Set<string> };

/** A schema of at most `depth` levels. */
export function generateTree(random: SeededRandom, depth = 4, names: Names = { all: [], open: new Set() }): Tree {
  const usable = names.all.filter((name) => !names.open.has(name));
  const kinds = ["primitive", "primitive", "enum", "fixed"];
  if (depth > 0) kinds.push("array", "map", "union", "union", "record", "record", "record");
  if (usable.length > 0) kinds.push("reference");
  if (names.open.size > 0) kinds.push("recursion");
  const kind = random.pick(kinds);
  switch (kind) {
    case "array":
    case "map":
      return { kind, of: generateTree(random, depth - 1, names) };
    case "union":
      return {
        kind,
        branches: Array.from({ length: random.below(4) + (random.below(20) === 0 ? 0 : 1) }, () =>
          generateTree(random, depth - 1, names),
        ),
      };
    case "reference":
      return { kind, name: random.pick(usable) };
    case "recursion":
      return generateRecursion({ kind: "reference", name: random.pick([...names.open]) }, random);
    case "record":
    case "enum":
    case "fixed":
      return generateNamed(kind, random, depth, names);
    default: {
      const type = random.pick(PRIMITIVES);
      return withLogicalType({ kind: "primitive", type }, random);
    }
  }
}

function generateRecursion(of: Tree, random: SeededRandom): Tree {
  const kind = random.pick(["array", "map", "union"] as const);
  return kind === "union" ? { kind, branches: [{ kind: "primitive", type: "null" }, of] } : { kind, of };
}

function generateNamed(kind: "record" | "enum" | "fixed", random: SeededRandom, depth: number, names: Names): Tree {
  const name = `T${names.all.length}`;
  const named = { name, namespace: random.pick(NAMESPACES), aliases: random.below(8) === 0 ? ["Alias"] : [] };
  names.all.push(name);
  if (kind === "enum") {
    const symbols = SYMBOLS.slice(0, 1 + random.below(4));
    return { kind, ...named, symbols, ...(random.below(3) === 0 ? { default: symbols[0]! } : {}) };
  }
  if (kind === "fixed") {
    const logicalType = random.pick([{}, {}, { logicalType: "decimal", precision: 3, scale: 1 }]);
    return { kind, ...named, size: 2 + random.below(3), logicalType };
  }
  names.open.add(name);
  const fields = FIELD_NAMES.slice(0, random.below(5)).map((field) => generateField(field, random, depth - 1, names));
  names.open.delete(name);
  return { kind, ...named, fields };
}

function generateField(name: string, random: SeededRandom, depth: number, names: Names): FieldTree {
  return {
    name,
    of: generateTree(random, depth, names),
    hasDefault: random.below(2) === 0,
    aliases: random.below(10) === 0 ? [random.pick(["x", "y"])] : [],
    ...(random.below(5) === 0 ? { doc: "A field." } : {}),
    ...(random.below(10) === 0 ? { order: random.pick(["descending", "ignore"]) } : {}),
  };
}

function withLogicalType(tree: Extract<Tree, { kind: "primitive" }>, random: SeededRandom): Tree {
  const choices = LOGICAL_TYPES[tree.type];
  return choices !== undefined && random.below(3) === 0 ? { ...tree, logicalType: random.pick(choices) } : tree;
}

/** A copy with one to three changes. */
export function changeTree(tree: Tree, random: SeededRandom): Tree {
  let changed = structuredClone(tree);
  for (let count = 1 + random.below(3); count > 0; count -= 1) {
    const places = placesOf(changed);
    const place = random.pick(places);
    const replacement = changeOne(place.tree, random, places);
    if (place.replace === null) changed = replacement;
    else place.replace(replacement);
  }
  return changed;
}

type Place = { tree: Tree; replace: ((tree: Tree) => void) | null };

function placesOf(root: Tree): Place[] {
  const places: Place[] = [{ tree: root, replace: null }];
  for (const { tree } of places) {
    if (tree.kind === "array" || tree.kind === "map") {
      places.push({ tree: tree.of, replace: (of) => Object.assign(tree, { of }) });
    } else if (tree.kind === "union") {
      tree.branches.forEach((branch, index) => {
        places.push({ tree: branch, replace: (to) => tree.branches.splice(index, 1, to) });
      });
    } else if (tree.kind === "record") {
      for (const field of tree.fields) places.push({ tree: field.of, replace: (of) => Object.assign(field, { of }) });
    }
  }
  return places;
}

function changeOne(tree: Tree, random: SeededRandom, places: Place[]): Tree {
  const isNamed = tree.kind === "record" || tree.kind === "enum" || tree.kind === "fixed";
  switch (random.below(isNamed ? 4 : 8)) {
    case 0:
      return tree.kind === "union" ? tree : { kind: "union", branches: [{ kind: "primitive", type: "null" }, tree] };
    default:
      if (isNamed) return changeNamed(tree, random, places);
      return changeUnnamed(tree, random);
  }
}

const PROMOTED: Record<string, string[]> = {
  int: ["long", "float", "double"],
  long: ["float", "double", "int"],
  float: ["double"],
  string: ["bytes"],
  bytes: ["string"],
};

function changeUnnamed(tree: Exclude<Tree, NamedTree>, random: SeededRandom): Tree {
  switch (tree.kind) {
    case "primitive": {
      const { precision } = tree.logicalType ?? {};
      if (typeof precision === "number" && random.below(3) === 0) {
        return {
          ...tree,
          logicalType: { ...tree.logicalType, precision: precision + (random.below(2) === 0 ? 1 : -1) },
        };
      }
      if (random.below(10) === 0) return { ...tree, logicalType: { ...tree.logicalType, note: random.below(3) } };
      const promoted = PROMOTED[tree.type];
      if (promoted !== undefined && random.below(2) === 0) {
        return withLogicalType({ kind: "primitive", type: random.pick(promoted) }, random);
      }
      if (LOGICAL_TYPES[tree.type] !== undefined && random.below(2) === 0) {
        return { ...tree, logicalType: random.pick([{}, ...LOGICAL_TYPES[tree.type]!]) };
      }
      return { kind: "primitive", type: random.pick(PRIMITIVES) };
    }
    case "union": {
      const branches = [...tree.branches];
      if (random.below(2) === 0) branches.push({ kind: "primitive", type: random.pick(PRIMITIVES) });
      else if (random.below(3) === 0) branches.reverse();
      else branches.splice(random.below(branches.length + 1), 1);
      return branches.length === 1 && random.below(2) === 0 ? branches[0]! : { kind: "union", branches };
    }
    case "array":
      return random.below(3) === 0 ? { ...tree, kind: "map" } : tree;
    default:
      return random.below(3) === 0 ? { kind: "primitive", type: random.pick(PRIMITIVES) } : tree;
  }
}

function changeNamed(tree: NamedTree, random: SeededRandom, places: Place[]): Tree {
  switch (random.below(6)) {
    case 0: {
      const old = tree.namespace === "" ? tree.name : `${tree.namespace}.${tree.name}`;
      const name = `${tree.name}x`;
      for (const { tree: user } of places) {
        if (user.kind === "reference" && user.name === tree.name) user.name = name;
      }
      return { ...tree, name, aliases: random.below(2) === 0 ? [old] : tree.aliases };
    }
    case 1:
      return random.below(2) === 0 ? { ...tree, namespace: random.pick(NAMESPACES) } : { ...tree, doc: "Changed." };
    default:
      if (tree.kind === "fixed") {
        return random.below(2) === 0
          ? { ...tree, size: tree.size + 1 }
          : { ...tree, logicalType: { logicalType: "decimal", precision: 2 } };
      }
      return tree.kind === "enum" ? changeEnum(tree, random) : changeRecord(tree, random);
  }
}

function changeEnum(tree: Extract<NamedTree, { kind: "enum" }>, random: SeededRandom): Tree {
  switch (random.below(3)) {
    case 0:
      return { ...tree, symbols: SYMBOLS.slice(0, Math.min(5, tree.symbols.length + 1)) };
    case 1:
      return { ...tree, symbols: tree.symbols.slice(0, Math.max(1, tree.symbols.length - 1)) };
    default:
      return { ...tree, default: tree.symbols[0]! };
  }
}

function changeRecord(tree: Extract<NamedTree, { kind: "record" }>, random: SeededRandom): Tree {
  const fields = [...tree.fields];
  const at = random.below(fields.length + 1);
  const field = fields[at];
  switch (random.below(field === undefined ? 1 : 7)) {
    case 0: {
      const names = new Set(fields.map(({ name }) => name));
      const name = [...FIELD_NAMES, "f", "g", "h"].find((candidate) => !names.has(candidate))!;
      fields.push({
        name,
        of: { kind: "primitive", type: random.pick(PRIMITIVES) },
        hasDefault: random.below(2) === 0,
        aliases: [],
      });
      break;
    }
    case 1:
      fields.splice(at, 1);
      break;
    case 2:
      fields[at] = { ...field!, hasDefault: !field!.hasDefault };
      break;
    case 3:
      fields[at] = { ...field!, name: `${field!.name}2`, aliases: random.below(2) === 0 ? [field!.name] : [] };
      break;
    case 4:
      fields[at] = { ...field!, aliases: [random.pick(FIELD_NAMES)] };
      break;
    case 5:
      fields[at] = { ...field!, doc: "Changed.", order: "descending" };
      break;
    default:
      fields.reverse();
  }
  return { ...tree, fields: uniqueByName(fields) };
}

function uniqueByName(fields: FieldTree[]): FieldTree[] {
  return [...new Map(fields.map((field) => [field.name, field])).values()];
}

/** The schema as a JSON value, always a valid one: what the tree cannot express becomes `int`. */
export function schemaOf(tree: Tree): unknown {
  return new SchemaWriter().write(tree, "");
}

class SchemaWriter {
  readonly #defined = new Map<string, { full: string; tree: NamedTree }>();

  write(tree: Tree, namespace: string): unknown {
    switch (tree.kind) {
      case "primitive":
        return tree.logicalType === undefined ? tree.type : { type: tree.type, ...tree.logicalType };
      case "array":
        return { type: "array", items: this.write(tree.of, namespace) };
      case "map":
        return { type: "map", values: this.write(tree.of, namespace) };
      case "union":
        return this.#union(tree.branches, namespace);
      case "reference":
        return this.#defined.get(tree.name)?.full ?? "int";
      default:
        return this.#named(tree);
    }
  }

  #union(branches: Tree[], namespace: string): unknown {
    const seen = new Set<string>();
    const written: unknown[] = [];
    for (const branch of branches) {
      if (branch.kind === "union") continue;
      const known = branch.kind === "reference" || "name" in branch ? this.#defined.get(branch.name) : undefined;
      const name =
        branch.kind === "reference"
          ? (known?.full ?? "int")
          : branch.kind === "primitive"
            ? branch.type
            : "name" in branch
              ? fullName(branch)
              : branch.kind;
      if (seen.has(name)) continue;
      seen.add(name);
      written.push(this.write(branch, namespace));
    }
    return written;
  }

  #named(tree: NamedTree): unknown {
    const known = this.#defined.get(tree.name);
    if (known !== undefined) return known.full;
    this.#defined.set(tree.name, { full: fullName(tree), tree });
    const head = {
      name: tree.name,
      namespace: tree.namespace,
      ...(tree.doc === undefined ? {} : { doc: tree.doc }),
      ...(tree.aliases.length === 0 ? {} : { aliases: tree.aliases }),
    };
    if (tree.kind === "fixed") return { type: "fixed", ...head, size: tree.size, ...tree.logicalType };
    if (tree.kind === "enum") {
      const fallback =
        tree.default !== undefined && tree.symbols.includes(tree.default) ? { default: tree.default } : {};
      return { type: "enum", ...head, symbols: tree.symbols, ...fallback };
    }
    return { type: "record", ...head, fields: tree.fields.map((field) => this.#field(field, tree.namespace)) };
  }

  #field(field: FieldTree, namespace: string): unknown {
    const { name, doc, order, aliases } = field;
    const type = this.write(field.of, namespace);
    const fallback = field.hasDefault ? defaultFor(type) : undefined;
    return {
      ...{ name, type },
      ...(doc === undefined ? {} : { doc }),
      ...(order === undefined ? {} : { order }),
      ...(aliases.length === 0 ? {} : { aliases }),
      ...(fallback === undefined ? {} : { default: fallback }),
    };
  }
}

function fullName(tree: NamedTree): string {
  return tree.namespace === "" ? tree.name : `${tree.namespace}.${tree.name}`;
}

/** A default for a written type, or undefined if it would require following names. */
function defaultFor(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.length === 0 ? undefined : defaultFor(schema[0]);
  const { type, size, symbols } = (typeof schema === "string" ? { type: schema } : schema) as {
    type: string;
    size?: number;
    symbols?: string[];
  };
  const plain: Record<string, unknown> = {
    null: null,
    boolean: true,
    int: 1,
    long: 2,
    float: 0.5,
    double: 1.5,
    bytes: "\u00ff",
    string: "s",
    array: [],
    map: {},
  };
  if (type === "enum") return symbols?.[0];
  if (type === "fixed") return "\u0000".repeat(size ?? 0);
  return plain[type];
}
