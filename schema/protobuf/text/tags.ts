/** Inline tags of Protobuf messages and fields: `tags` of the options `confluent.message_meta` and `confluent.field_meta`. */
import type { EntityTags } from "../../format.ts";
import type { EditTags } from "../../tags.ts";
import { type Field, joinName, type Message, type Option, type OptionField, type OptionValue } from "../model.ts";
import { parseFile } from "../parse/file.ts";
import { printFile } from "./canonical.ts";

const OPTION_OF: Readonly<Record<EntityTags["entityType"], string>> = {
  sr_record: "confluent.message_meta",
  sr_field: "confluent.field_meta",
};

/**
 * Paths omit the package, as in the Confluent server. Like it, this adds no import for the options it sets. An
 * unreadable text is returned unchanged.
 */
export function editProtobufTags(text: string, edit: EditTags): string {
  const parsed = parseFile(text, { path: "", reference: null, isBuiltin: false, isLenient: true });
  if (!parsed.ok) return text;
  const { file } = parsed.value;
  let changed = false;
  const editOptions = (options: readonly Option[], entityPath: string, entityType: EntityTags["entityType"]) => {
    const before = tagsOf(options, OPTION_OF[entityType]);
    const after = edit({ entityPath, entityType, fullName: joinName(file.package, entityPath) }, before);
    if (after.join("\n") === before.join("\n")) return options;
    changed = true;
    return withTags(options, OPTION_OF[entityType], after);
  };
  // A field refers to the message that it declares, so both must stay the same object.
  const editMessage = (message: Message, scope: string): Message => {
    const path = joinName(scope, message.name);
    const options = editOptions(message.options, path, "sr_record");
    const messages = message.messages.map((inner) => (inner.synthetic === null ? editMessage(inner, path) : inner));
    const fields = message.fields.map((field): Field => {
      const edited = editOptions(field.options, `${path}.${field.name}`, "sr_field");
      return edited === field.options ? field : { ...field, options: edited };
    });
    return { ...message, options, messages, fields };
  };
  const messages = file.messages.map((message) => editMessage(message, ""));
  return changed ? printFile({ ...file, messages }) : text;
}

function tagsOf(options: readonly Option[], name: string): string[] {
  return options.flatMap((option) => {
    if (!isOptionNamed(option, name)) return [];
    if (option.name.length === 1 && option.value.kind === "message") {
      return option.value.fields.filter(isTagsField).flatMap(({ value }) => stringsOf(value));
    }
    return option.name.length === 2 && option.name[1]!.name === "tags" ? stringsOf(option.value) : [];
  });
}

/** One option with all previous contents, and the tags in one list. */
function withTags(options: readonly Option[], name: string, tags: readonly string[]): Option[] {
  const isTags = (option: Option) =>
    isOptionNamed(option, name) && option.name.length === 2 && option.name[1]!.name === "tags";
  const others = options.filter((option) => !isTags(option));
  const whole = others.find((option) => isOptionNamed(option, name) && option.name.length === 1);
  const start = whole?.start ?? 0;
  const kept = whole?.value.kind === "message" ? whole.value.fields.filter((field) => !isTagsField(field)) : [];
  const items = tags.map((value): OptionValue => ({ kind: "string", value }));
  const fields: OptionField[] =
    tags.length === 0
      ? kept
      : [...kept, { start, name: { kind: "field", name: "tags" }, value: { kind: "list", items } }];
  const option: Option = { start, name: [{ name, isExtension: true }], value: { kind: "message", fields } };
  const rest = others.filter((other) => other !== whole);
  return fields.length === 0 ? rest : [...rest, option];
}

function isOptionNamed({ name }: Option, wanted: string): boolean {
  const [first] = name;
  return first?.isExtension === true && first.name.replace(/^\./, "") === wanted;
}

function isTagsField({ name }: OptionField): boolean {
  return name.kind === "field" && name.name === "tags";
}

function stringsOf(value: OptionValue): string[] {
  if (value.kind === "list") return value.items.flatMap(stringsOf);
  return value.kind === "string" ? [value.value] : [];
}
