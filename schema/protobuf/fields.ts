/** Every field of a schema with its path, for search and lineage. */
import type { SchemaField as FieldEntry } from "../format.ts";
import {
  type Definition,
  type Field,
  isMessageDefinition,
  joinName,
  type Message,
  type Option,
  type ProtobufModel,
  resolveType,
} from "./model.ts";
import { fieldPresence } from "./options/editions.ts";
import { typeText } from "./text/canonical.ts";

/**
 * A message used in many places has its fields under many paths; beyond these limits more paths add nothing useful.
 */
export const MAX_FIELDS = 10_000;
export const MAX_FIELD_DEPTH = 32;

/** The fields of every top-level message, parents before children; a message inside itself is not entered again. */
export function listFields(model: ProtobufModel): FieldEntry[] {
  const fields: FieldEntry[] = [];
  const entered = new Set<Message>();

  const walk = (definition: Definition<Message>, path: string, depth: number): void => {
    const { element } = definition;
    // Built-in messages are treated as one value: a timestamp, not seconds and nanos.
    if (depth > MAX_FIELD_DEPTH || entered.has(element) || definition.file.isBuiltin) return;
    entered.add(element);
    for (const field of element.fields) {
      if (fields.length >= MAX_FIELDS) break;
      const child = {
        ...definition,
        fullName: joinName(definition.fullName, field.name),
        element: field,
        parent: definition,
      };
      const fieldPath = `${path}.${field.name}`;
      fields.push({
        path: fieldPath,
        type: describeType(model, child),
        documentation: field.documentation ?? metaDocumentation(field.options),
        required: fieldPresence(child) === "required",
      });
      const inner = messageOf(model, child);
      const suffix = field.type.kind === "map" ? "{}" : field.label === "repeated" ? "[]" : "";
      if (inner !== undefined) walk(inner, fieldPath + suffix, depth + 1);
    }
    entered.delete(element);
  };
  for (const element of model.file.messages) {
    const fullName = joinName(model.file.package, element.name);
    if (element.synthetic === null)
      walk({ file: model.file, fullName, element, parent: null, extend: null }, element.name, 1);
  }
  return fields;
}

/** Names of the fields of the first message, which registries treat as the type of the data. */
export function listTopLevelNames(model: ProtobufModel): string[] {
  const root = model.file.messages.find(({ synthetic }) => synthetic === null);
  return root?.fields.map(({ name }) => name) ?? [];
}

/** The text of `(confluent.field_meta).doc`: unlike a comment it survives in the canonical text. */
function metaDocumentation(options: readonly Option[]): string | null {
  for (const { name, value } of options) {
    const [first, second] = name;
    if (!first!.isExtension || !/^\.?confluent\.field_meta$/.test(first!.name)) continue;
    if (name.length === 2 && second!.name === "doc" && value.kind === "string") return value.value;
    if (name.length > 1 || value.kind !== "message") continue;
    const doc = value.fields.find((field) => field.name.kind === "field" && field.name.name === "doc");
    if (doc?.value.kind === "string") return doc.value.value;
  }
  return null;
}

function messageOf(
  model: ProtobufModel,
  { element, parent, file }: Definition<Field>,
): Definition<Message> | undefined {
  const { type } = element;
  const scope = parent ?? { file, fullName: file.package };
  if (type.kind === "group") {
    return { file, fullName: joinName(scope.fullName, type.message.name), element: type.message, parent, extend: null };
  }
  const named = type.kind === "map" ? type.value : type;
  if (named.kind !== "named") return undefined;
  const found = resolveType(model, scope, named.name);
  return found !== undefined && isMessageDefinition(found) ? found : undefined;
}

function describeType(model: ProtobufModel, { element, parent, file }: Definition<Field>): string {
  const { type } = element;
  const scope = parent ?? { file, fullName: file.package };
  const fullName = (name: string) => resolveType(model, scope, name)?.fullName ?? name;
  if (type.kind === "named") return fullName(type.name);
  if (type.kind === "map" && type.value.kind === "named") return `map<${type.key}, ${fullName(type.value.name)}>`;
  return typeText(type);
}
