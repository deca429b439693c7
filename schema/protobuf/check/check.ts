/** Checks every rule for a new schema beyond the grammar. Only the schema itself is checked, not its imports. */
import type { SchemaProblem } from "../../format.ts";
import {
  type Definition,
  type Enum,
  fileScope,
  joinName,
  type Message,
  type ProtobufModel,
  type ProtoFile,
  type Service,
} from "../model.ts";
import { plainOption } from "../options/plain.ts";
import { addPublic } from "../parse/link.ts";
import { shown } from "../parse/tokens.ts";
import { CheckContext, type CheckOptions } from "./context.ts";
import { checkEnum } from "./enum.ts";
import { checkExtends } from "./extend.ts";
import { checkMessage } from "./message.ts";
import { checkOptions } from "./options.ts";
import { checkStyle } from "./style.ts";

type Checked = { errors: readonly SchemaProblem[]; warnings: readonly SchemaProblem[] };

/** Checks a linked schema. */
export function checkModel(model: ProtobufModel, options: CheckOptions): Checked {
  const context = new CheckContext(model, options);
  const { file } = context;
  const scope = { ...fileScope(file), parent: null };
  for (const message of file.messages) checkMessages(context, define(scope, message));
  for (const element of file.enums) checkEnum(context, define(scope, element));
  checkExtends(context, fileScope(file), null, file.extends);
  for (const service of file.services) checkService(context, service);
  checkOptions(context);
  checkStyle(context);
  checkImports(context);
  return { errors: context.errors, warnings: context.warnings };
}

type Place = Pick<Definition, "file" | "fullName"> & { parent: Definition | null };

/**
 * The definition of an element, created anew: if a name is used twice, the linked definition is the other element's.
 */
function define<E extends Message | Enum>(place: Place, element: E): Definition<E> {
  return {
    file: place.file,
    fullName: joinName(place.fullName, element.name),
    element,
    parent: place.parent,
    extend: null,
  };
}

function checkMessages(context: CheckContext, definition: Definition<Message>): void {
  checkMessage(context, definition);
  const { element } = definition;
  const place = { ...definition, parent: definition };
  for (const nested of element.messages) {
    if (nested.synthetic !== "map_entry") checkMessages(context, define(place, nested));
  }
  for (const nested of element.enums) checkEnum(context, define(place, nested));
  checkExtends(context, definition, definition, element.extends);
}

function checkService(context: CheckContext, { name, methods }: Service): void {
  const scope = { file: context.file, fullName: joinName(context.file.package, name) };
  for (const method of methods) {
    for (const type of [method.input, method.output]) {
      const found = context.type(scope, type.name, type.start);
      if (found?.element.kind === "enum") {
        context.error("method_type", `"${shown(type.name)}" is an enum, expected a message.`, type.start);
      }
    }
  }
}

function isLite({ options }: ProtoFile): boolean {
  const value = plainOption(options, "optimize_for")?.value;
  return value?.kind === "identifier" && value.name === "LITE_RUNTIME";
}

function checkImports(context: CheckContext): void {
  const { model, file } = context;
  const seen = new Set<string>();
  for (const { path, kind, start } of file.imports) {
    if (seen.has(path)) {
      context.error("duplicate_import", `"${shown(path)}" is imported twice.`, start);
      continue;
    }
    seen.add(path);
    const imported = model.files.get(path);
    if (imported !== undefined && isLite(imported) && !isLite(file)) {
      context.error("lite_import", `"${shown(path)}" is optimized for LITE_RUNTIME, this schema is not.`, start);
    }
    if (imported === undefined || kind === "public" || path === "") continue;
    const provided = new Set<ProtoFile>();
    addPublic(imported, model.files, provided);
    if (![...provided].some((candidate) => context.used.has(candidate))) {
      context.warn("unused_import", `Import "${shown(path)}" is not used.`, start);
    }
  }
}
