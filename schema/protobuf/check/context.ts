/**
 * The context shared by all checks of a schema: collects problems, and resolves names while tracking which imports are
 * used.
 */
import type { SchemaProblem } from "../../format.ts";
import {
  type Definition,
  extensionsByNumber,
  type Field,
  joinName,
  type Message,
  type ProtobufModel,
  type ProtoFile,
  parentName,
  resolveName,
  resolveType,
  type Scope,
  type TypeDefinition,
} from "../model.ts";
import { resolveFeatures } from "../options/editions.ts";
import { shown, textProblem } from "../parse/tokens.ts";
import type { DeclarationsByNumber } from "./declarations.ts";
import { NumberRanges } from "./number-ranges.ts";

/** Longer lists do not help, and finding the position of each problem scans the text. */
export const MAX_PROBLEMS = 100;

export type CheckOptions = {
  /** Whether unresolvable options are kept as text, with a warning. */
  readonly keepsUnresolvedOptions: boolean;
};

export class CheckContext {
  readonly errors: SchemaProblem[] = [];
  readonly warnings: SchemaProblem[] = [];
  /** Files that something in the schema needs. */
  readonly used = new Set<ProtoFile>();
  readonly file: ProtoFile;
  readonly #extensionRanges = new Map<Message, NumberRanges>();
  readonly #declarations = new Map<Message, DeclarationsByNumber>();
  #extensions: ReadonlyMap<string, ReadonlyMap<number, readonly Definition<Field>[]>> | null = null;

  readonly model: ProtobufModel;
  readonly options: CheckOptions;

  constructor(model: ProtobufModel, options: CheckOptions) {
    this.model = model;
    this.options = options;
    this.file = model.file;
  }

  error(rule: string, message: string, offset: number): void {
    if (this.errors.length < MAX_PROBLEMS) this.errors.push(textProblem(this.file.text, { rule, message, offset }));
  }

  warn(rule: string, message: string, offset: number): void {
    if (this.warnings.length < MAX_PROBLEMS) this.warnings.push(textProblem(this.file.text, { rule, message, offset }));
  }

  /** The message or enum that a written name resolves to; problems are reported. */
  type(scope: Scope, name: string, offset: number): TypeDefinition | undefined {
    const found = resolveType(this.model, scope, name);
    if (found === undefined) {
      this.#unresolved(scope, name, offset);
      return undefined;
    }
    this.used.add(found.file);
    if (found.file !== this.file && isLocal(found)) {
      this.error("local_type", `"${shown(found.fullName)}" is local to "${shown(found.file.path)}".`, offset);
    }
    return found;
  }

  /** The extension numbers of a message. */
  extensionRanges(message: Message): NumberRanges {
    let ranges = this.#extensionRanges.get(message);
    if (ranges === undefined) {
      ranges = new NumberRanges(message.extensionRanges.flatMap((statement) => statement.ranges));
      this.#extensionRanges.set(message, ranges);
    }
    return ranges;
  }

  /** The extensions of a message with one number, over all files the schema reaches. */
  extensionsWith(message: Definition<Message>, number: number): readonly Definition<Field>[] {
    this.#extensions ??= extensionsByNumber(this.model);
    return this.#extensions.get(message.fullName)?.get(number) ?? [];
  }

  /** A message's extension declarations, read once. */
  extensionDeclarations(message: Message, read: (message: Message) => DeclarationsByNumber): DeclarationsByNumber {
    const declarations = this.#declarations.get(message) ?? read(message);
    this.#declarations.set(message, declarations);
    return declarations;
  }

  #unresolved(scope: Scope, name: string, offset: number): void {
    // The rest only improves the message, and searches many files.
    if (this.errors.length >= MAX_PROBLEMS) return;
    const other = resolveName(this.model, scope, name, () => true);
    if (other !== undefined) {
      const kind = other.element.kind.replace("_", " ");
      this.error("not_a_type", `"${shown(name)}" is a ${kind}, expected a message or an enum.`, offset);
      return;
    }
    if (this.#isInReferencedPackage(scope, name)) {
      // The schema was written against another version of its reference, which is the one its author's compiler sees.
      const message = `Type "${shown(name)}" is not defined in the referenced version of its file.`;
      this.warn("unresolved_in_reference", message, offset);
      return;
    }
    const elsewhere = this.#elsewhere(scope, name);
    const hint =
      elsewhere === undefined
        ? ""
        : ` "${shown(elsewhere.fullName)}" is in "${shown(elsewhere.file.path)}", which is not imported.`;
    this.error("unresolved_type", `Type "${shown(name)}" is not defined.${hint}`, offset);
  }

  /**
   * Whether a name evidently refers to a referenced file: its prefix is the package of one, other than the schema's
   * own, and no outer scope has that name.
   */
  #isInReferencedPackage({ file, fullName }: Scope, name: string): boolean {
    const isAbsolute = name.startsWith(".");
    const relative = isAbsolute ? name.slice(1) : name;
    const qualifier = parentName(relative);
    if (qualifier === "") return false;
    const visible = this.model.visible.get(file);
    let isReferenced = false;
    for (let around = isAbsolute ? "" : fullName; ; around = parentName(around)) {
      if (this.model.definitions.has(joinName(around, relative))) return false;
      const candidate = joinName(around, qualifier);
      for (const owner of this.model.packages.get(candidate) ?? []) {
        if (owner.package !== candidate || !visible?.files.has(owner)) continue;
        if (owner.reference === null) return false;
        isReferenced = true;
      }
      if (around === "") return isReferenced;
    }
  }

  /** A definition that the name would resolve to if its file were imported. */
  #elsewhere({ fullName }: Scope, name: string): Definition | undefined {
    if (name.startsWith(".")) return this.model.definitions.get(name.slice(1));
    for (let scope = fullName; ; scope = parentName(scope)) {
      const found = this.model.definitions.get(joinName(scope, name));
      if (found !== undefined && !this.model.visible.get(this.file)?.files.has(found.file)) return found;
      if (scope === "") return undefined;
    }
  }
}

/** Whether edition 2024 keeps a type local to its own file. */
function isLocal(definition: TypeDefinition): boolean {
  const { element, parent, file } = definition;
  if (element.visibility !== null) return element.visibility === "local";
  if (file.edition !== "2024") return false;
  switch (resolveFeatures(definition).default_symbol_visibility) {
    case "EXPORT_TOP_LEVEL":
      return parent !== null;
    case "LOCAL_ALL":
    case "STRICT":
      return true;
    default:
      return false;
  }
}
