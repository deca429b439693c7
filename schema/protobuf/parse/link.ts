/**
 * Finds a file's imports, transitively, and resolves every name. An import is looked up in the references of the
 * importing file, then in all references of the schema (registries pass one flat list), then among the built-in files.
 * Each path is one file.
 */

import type {
  ParseRefusal,
  RefusalReason,
  ResolvedReference,
  SchemaProblem,
  SchemaSource,
  TextRefusal,
} from "../../format.ts";
import { ok, type Result, refuse } from "../../result.ts";
import { passesMicros, type Sliced } from "../../slices.ts";
import {
  type DefinedElement,
  type Definition,
  type Enum,
  type Extend,
  type Field,
  fileScope,
  joinName,
  type Message,
  type ProtobufModel,
  type ProtoFile,
  type Scope,
  type Visible,
} from "../model.ts";
import { shown, textProblem } from "./tokens.ts";

/** Files one schema may reach, including itself. The largest published services reach about 700. */
export const MAX_FILES = 1_000;
/**
 * Visible files, summed over all files: public imports can make every file visible to every other, and the square of
 * 1,000 is too much.
 */
export const MAX_VISIBLE_FILES = 250_000;
/** Sources examined while searching references by name. */
export const MAX_SOURCES = 10_000;
const MAX_LINK_PROBLEMS = 100;
/** Code units of all full names together: nested scopes repeat the names around them. */
export const MAX_NAMES_LENGTH = 33_554_432;

export type LinkProblem = SchemaProblem & { readonly file: ProtoFile };
export type LinkResult = Result<
  {
    model: ProtobufModel;
    /** Rules that only new schemas must follow: missing imports and names defined twice. */
    problems: readonly LinkProblem[];
  },
  ParseRefusal
>;

/** Parses the text of a referenced file; the number is its count of elements. */
type ReadFile = (reference: ResolvedReference) => Result<ProtoFile, TextRefusal>;

/** Returns a built-in file by its import path. */
type BuiltinFiles = (path: string) => ProtoFile | undefined;

/**
 * The file that defines `confluent.field_meta` and related options; the Confluent server writes them without this
 * import.
 */
const META_IMPORT = "confluent/meta.proto";
const META_PACKAGE = "confluent";

type LinkOptions = {
  /** Whether a file may use the meta options of the `confluent` package without importing them. */
  impliesMeta?: boolean;
};

/** Links a file with everything it reaches. */
export function* link(
  root: ProtoFile,
  source: SchemaSource,
  read: ReadFile,
  builtins: BuiltinFiles,
  { impliesMeta = false }: LinkOptions = {},
): Sliced<LinkResult> {
  const linker = new Linker(source, read, builtins);
  try {
    yield* linker.load(root, source);
    if (impliesMeta) yield* linker.loadMeta(source);
    return linker.result(root);
  } catch (error) {
    if (!(error instanceof LinkRefusal)) throw error;
    return refuse({ reason: error.reason, problems: [error.problem] });
  }
}

class LinkRefusal extends Error {
  readonly reason: RefusalReason;
  readonly problem: SchemaProblem;

  constructor(reason: RefusalReason, problem: SchemaProblem) {
    super(problem.message);
    this.reason = reason;
    this.problem = problem;
  }
}

class Linker {
  readonly #files = new Map<string, ProtoFile>();
  readonly #loading = new Set<string>();
  readonly #impliedMeta = new Set<ProtoFile>();
  readonly #problems: LinkProblem[] = [];
  readonly #definitions = new Map<string, Definition>();
  readonly #byName = new Map<SchemaSource, Map<string, ResolvedReference>>();
  #everything: Map<string, ResolvedReference> | null = null;
  #namesLength = 0;

  readonly source: SchemaSource;
  readonly read: ReadFile;
  readonly builtins: BuiltinFiles;

  constructor(source: SchemaSource, read: ReadFile, builtins: BuiltinFiles) {
    this.source = source;
    this.read = read;
    this.builtins = builtins;
  }

  *load(file: ProtoFile, source: SchemaSource): Sliced<void> {
    this.#files.set(file.path, file);
    if (this.#files.size > MAX_FILES) {
      this.#refuse("too_complex", "too_many_files", `The schema reaches more than ${MAX_FILES} files.`);
    }
    this.#loading.add(file.path);
    for (const { path, start } of file.imports) {
      if (this.#loading.has(path) && path !== "") {
        const message = `Import "${shown(path)}" closes a cycle.`;
        throw new LinkRefusal("invalid", textProblem(file.text, { rule: "import_cycle", message, offset: start }));
      }
      if (this.#files.has(path) && path !== "") continue;
      // The schema itself has the empty path, which cannot be imported.
      if (path === "" || !(yield* this.#loadImport(path, source))) {
        this.#problem(file, start, "unresolved_import", `Import "${shown(path)}" is neither referenced nor built in.`);
      }
    }
    this.#loading.delete(file.path);
  }

  /**
   * Loads the meta options for files that mention them, unless the schema includes or is a file of that package itself.
   */
  *loadMeta(source: SchemaSource): Sliced<void> {
    const users = [...this.#files.values()].filter(({ isBuiltin, text, imports }) => {
      return !isBuiltin && text.includes(`${META_PACKAGE}.`) && !imports.some(({ path }) => path === META_IMPORT);
    });
    if (users.length === 0) return;
    const isTaken = [...this.#files.values()].some((file) => file.package === META_PACKAGE && !file.isBuiltin);
    if (isTaken || (!this.#files.has(META_IMPORT) && !(yield* this.#loadImport(META_IMPORT, source)))) return;
    for (const user of users) this.#impliedMeta.add(user);
  }

  result(root: ProtoFile): LinkResult {
    for (const file of this.#files.values()) this.#defineFile(file);
    const packages = new Map<string, Set<ProtoFile>>();
    for (const file of this.#files.values()) {
      for (const name of prefixes(file.package)) packages.set(name, (packages.get(name) ?? new Set()).add(file));
    }
    for (const name of packages.keys()) {
      const definition = this.#definitions.get(name);
      if (definition !== undefined) {
        const message = `"${shown(name)}" is both a package and a definition.`;
        this.#problem(definition.file, definition.element.start, "duplicate_name", message);
      }
    }
    const model: ProtobufModel = {
      file: root,
      files: this.#files,
      definitions: this.#definitions,
      packages,
      visible: this.#visibility(),
    };
    return ok({ model, problems: this.#problems });
  }

  #visibility(): Map<ProtoFile, Visible> {
    const visible = new Map<ProtoFile, Visible>();
    let total = 0;
    for (const file of this.#files.values()) {
      const files = new Set<ProtoFile>([file]);
      const optionFiles = new Set<ProtoFile>();
      for (const { path, kind } of file.imports) {
        const imported = this.#files.get(path);
        if (imported !== undefined) addPublic(imported, this.#files, kind === "option" ? optionFiles : files);
      }
      const meta = this.#impliedMeta.has(file) ? this.#files.get(META_IMPORT) : undefined;
      if (meta !== undefined) optionFiles.add(meta);
      total += files.size + optionFiles.size;
      if (total > MAX_VISIBLE_FILES) {
        const message = `Public imports let files see more than ${MAX_VISIBLE_FILES} files together.`;
        this.#refuse("too_complex", "too_many_visible_files", message);
      }
      visible.set(file, { files, optionFiles });
    }
    return visible;
  }

  *#loadImport(path: string, source: SchemaSource): Sliced<boolean> {
    const reference = this.#references(source).get(path) ?? this.#allReferences().get(path);
    if (reference === undefined) {
      const file = this.builtins(path);
      if (file === undefined) return false;
      yield* this.load(file, { text: "", references: [] });
      return true;
    }
    const result = this.read(reference);
    if (!result.ok) {
      const message = `Import "${shown(path)}" cannot be read: ${result.refusal.problem.message}`;
      throw new LinkRefusal(result.refusal.reason, { rule: "invalid_import", message });
    }
    yield passesMicros(reference.source.text.length, 2);
    yield* this.load(result.value, reference.source);
    return true;
  }

  #references(source: SchemaSource): Map<string, ResolvedReference> {
    let byName = this.#byName.get(source);
    if (byName === undefined) {
      byName = new Map();
      for (const reference of source.references) if (!byName.has(reference.name)) byName.set(reference.name, reference);
      this.#byName.set(source, byName);
    }
    return byName;
  }

  #allReferences(): Map<string, ResolvedReference> {
    if (this.#everything !== null) return this.#everything;
    const everything = new Map<string, ResolvedReference>();
    const seen = new Set<SchemaSource>([this.source]);
    for (const source of seen) {
      if (seen.size > MAX_SOURCES) {
        this.#refuse("too_complex", "too_many_references", `The schema reaches more than ${MAX_SOURCES} references.`);
      }
      for (const reference of source.references) {
        if (!everything.has(reference.name)) everything.set(reference.name, reference);
        seen.add(reference.source);
      }
    }
    this.#everything = everything;
    return everything;
  }

  #defineFile(file: ProtoFile): void {
    const scope = fileScope(file);
    for (const message of file.messages) this.#defineMessage(scope, null, message);
    for (const element of file.enums) this.#defineEnum(scope, null, element);
    for (const extend of file.extends) this.#defineFields(scope, null, extend.fields, extend);
    for (const service of file.services) {
      const definition = this.#define(scope, null, service);
      for (const method of service.methods) this.#define(definition, definition, method);
    }
  }

  #defineMessage(scope: Scope, parent: Definition | null, message: Message): void {
    const definition = this.#define(scope, parent, message);
    this.#defineFields(definition, definition, message.fields, null);
    for (const oneof of message.oneofs) this.#define(definition, definition, oneof);
    for (const nested of message.messages) this.#defineMessage(definition, definition, nested);
    for (const nested of message.enums) this.#defineEnum(definition, definition, nested);
    for (const extend of message.extends) this.#defineFields(definition, definition, extend.fields, extend);
  }

  #defineEnum(scope: Scope, parent: Definition | null, element: Enum): void {
    const definition = this.#define(scope, parent, element);
    // Enum values are in the scope around their enum, as in C++.
    for (const value of element.values) this.#define(scope, definition, value);
  }

  #defineFields(scope: Scope, parent: Definition | null, fields: readonly Field[], extend: Extend | null): void {
    for (const field of fields) this.#define(scope, parent, field, extend);
  }

  #define(scope: Scope, parent: Definition | null, element: DefinedElement, extend: Extend | null = null): Definition {
    const { file } = scope;
    const fullName = joinName(scope.fullName, element.name);
    this.#namesLength += fullName.length;
    if (this.#namesLength > MAX_NAMES_LENGTH) {
      this.#refuse("too_complex", "names_too_long", `All full names are longer than ${MAX_NAMES_LENGTH} characters.`);
    }
    const definition: Definition = { file, fullName, element, parent, extend };
    const earlier = this.#definitions.get(fullName);
    if (earlier === undefined) this.#definitions.set(fullName, definition);
    else {
      const where = earlier.file === file ? "" : ` in "${shown(earlier.file.path)}"`;
      const hint =
        element.kind === "enum_value" || earlier.element.kind === "enum_value"
          ? " Enum values share the scope of their enum."
          : "";
      this.#problem(file, element.start, "duplicate_name", `"${shown(fullName)}" is already defined${where}.${hint}`);
    }
    return definition;
  }

  #problem(file: ProtoFile, offset: number, rule: string, message: string): void {
    // Finding each position scans the text, and longer lists of problems do not help.
    if (this.#problems.length < MAX_LINK_PROBLEMS) {
      this.#problems.push({ ...textProblem(file.text, { rule, message, offset }), file });
    }
  }

  #refuse(reason: RefusalReason, rule: string, message: string): never {
    throw new LinkRefusal(reason, { rule, message });
  }
}

/** `a.b.c` → `a`, `a.b`, `a.b.c`; nothing for the unnamed package. */
function prefixes(name: string): string[] {
  const result: string[] = [];
  for (let dot = name.indexOf("."); dot !== -1; dot = name.indexOf(".", dot + 1)) result.push(name.slice(0, dot));
  if (name !== "") result.push(name);
  return result;
}

/** Adds a file and its public imports, transitively. */
export function addPublic(file: ProtoFile, files: ReadonlyMap<string, ProtoFile>, into: Set<ProtoFile>): void {
  const pending = [file];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (into.has(next)) continue;
    into.add(next);
    for (const { path, kind } of next.imports) {
      const imported = kind === "public" ? files.get(path) : undefined;
      if (imported !== undefined) pending.push(imported);
    }
  }
}
