/**
 * Options under `normalize=true`, as in the Confluent server: custom options by their full names, the statements of one
 * custom option merged into one message value, everything sorted by name. Unresolvable options stay as written.
 */
import { compareCodeUnits } from "../../json-text.ts";
import {
  type Definition,
  type Field,
  fileScope,
  isExtension,
  isMessageDefinition,
  type Message,
  type Option,
  type OptionField,
  type OptionFieldName,
  type OptionNamePart,
  type OptionValue,
  type ProtobufModel,
  resolveName,
  resolveType,
  type Scope,
} from "../model.ts";
import { isRepeated } from "../options/wire.ts";
import { fieldNameText, joinedList } from "./canonical.ts";

type MessageValue = Extract<OptionValue, { kind: "message" }>;

/** The options of one element, looked up from `scope`. */
export function normaliseOptions(model: ProtobufModel, scope: Scope, options: readonly Option[]): readonly Option[] {
  if (options.length === 0) return options;
  return new OptionNormaliser(model, scope).normalise(options);
}

class OptionNormaliser {
  readonly model: ProtobufModel;
  readonly scope: Scope;

  constructor(model: ProtobufModel, scope: Scope) {
    this.model = model;
    this.scope = scope;
  }

  normalise(options: readonly Option[]): readonly Option[] {
    /** The index, in the result, of the option of a singular extension. */
    const places = new Map<Definition<Field>, number>();
    const result: Option[] = [];
    for (const option of options) {
      const [first] = option.name;
      const extension = first!.isExtension ? this.#extension(first!.name) : undefined;
      if (extension === undefined) {
        result.push({ ...option, value: this.#value(option.value, undefined) });
        continue;
      }
      const name = [{ name: extension.fullName, isExtension: true }];
      const value = this.#value(nested(option.name.slice(1), option.value), this.#messageOf(extension));
      const place = places.get(extension);
      if (place === undefined) {
        if (!isRepeated(extension.element)) places.set(extension, result.length);
        result.push({ start: option.start, name, value });
      } else {
        const earlier = result[place]!;
        result[place] = { ...earlier, value: this.#merge(earlier.value, value, extension) };
      }
    }
    return result
      .map((option): [string, Option] => [sortingName(option.name), option])
      .sort(([a], [b]) => compareCodeUnits(a, b))
      .map(([, option]) => option);
  }

  #extension(name: string): Definition<Field> | undefined {
    const found = resolveName(this.model, this.scope, name, (candidate) => candidate.extend !== null, true);
    return found !== undefined && isExtension(found) ? found : undefined;
  }

  /** The message type of a field, if it is known. */
  #messageOf(field: Definition<Field>): Definition<Message> | undefined {
    const { type } = field.element;
    if (type.kind !== "named") return undefined;
    const found = resolveType(this.model, field.parent ?? fileScope(field.file), type.name);
    return found !== undefined && isMessageDefinition(found) ? found : undefined;
  }

  #value(value: OptionValue, message: Definition<Message> | undefined): OptionValue {
    switch (value.kind) {
      case "integer":
        return { ...value, text: String(value.value) };
      case "float":
        return { ...value, text: decimalText(value.value) ?? value.text };
      case "list":
        return { kind: "list", items: value.items.map((item) => this.#value(item, message)) };
      case "message":
        return this.#message(value, message);
      default:
        return value;
    }
  }

  #message({ fields }: MessageValue, message: Definition<Message> | undefined): MessageValue {
    const byName = new Map<string, OptionField>();
    for (const field of fields) {
      const name = this.#fieldName(field.name);
      const text = fieldNameText(name);
      const value = this.#value(field.value, this.#fieldMessage(message, field.name));
      const earlier = byName.get(text);
      byName.set(text, { ...field, name, value: earlier === undefined ? value : joinedList([earlier.value, value]) });
    }
    const kept = [...byName]
      .map(([text, field]): [string, OptionField] => [text, { ...field, value: withoutBrackets(field.value) }])
      .filter(([, { value }]) => value.kind !== "list" || value.items.length > 0);
    return { kind: "message", fields: kept.sort(([a], [b]) => compareCodeUnits(a, b)).map(([, field]) => field) };
  }

  #fieldName(name: OptionFieldName): OptionFieldName {
    const extension = name.kind === "extension" ? this.#extension(name.name) : undefined;
    return extension === undefined ? name : { kind: "extension", name: extension.fullName };
  }

  #field(message: Definition<Message> | undefined, name: OptionFieldName): Definition<Field> | undefined {
    if (name.kind === "extension") return this.#extension(name.name);
    const element = message?.element.fields.find((field) => field.name === name.name);
    if (message === undefined || element === undefined) return undefined;
    return { file: message.file, fullName: message.fullName, element, parent: message, extend: null };
  }

  #fieldMessage(message: Definition<Message> | undefined, name: OptionFieldName): Definition<Message> | undefined {
    const field = this.#field(message, name);
    return field && this.#messageOf(field);
  }

  /** Merges two statements of one option; a value that cannot be merged replaces the earlier one. */
  #merge(earlier: OptionValue, later: OptionValue, field: Definition<Field>): OptionValue {
    if (earlier.kind !== "message" || later.kind !== "message") return later;
    const message = this.#messageOf(field);
    const byName = new Map(earlier.fields.map((own) => [fieldNameText(own.name), own]));
    for (const added of later.fields) {
      const text = fieldNameText(added.name);
      const known = byName.get(text);
      if (known === undefined) {
        byName.set(text, added);
        continue;
      }
      const inner = this.#field(message, added.name);
      const isSingularMessage = inner !== undefined && !isRepeated(inner.element) && added.value.kind === "message";
      const value = isSingularMessage
        ? this.#merge(known.value, added.value, inner)
        : withoutBrackets(withoutDuplicates(joinedList([known.value, added.value])));
      byName.set(text, { ...known, value });
    }
    const fields = [...byName].sort(([a], [b]) => compareCodeUnits(a, b)).map(([, own]) => own);
    return { kind: "message", fields };
  }
}

/** `(foo).a.b = 1` is equivalent to `(foo) = { a: { b: 1 } }`. */
function nested(path: readonly OptionNamePart[], value: OptionValue): OptionValue {
  return path.reduceRight<OptionValue>(
    (inner, { name, isExtension: isInBrackets }) => ({
      kind: "message",
      fields: [{ start: 0, name: { kind: isInBrackets ? "extension" : "field", name }, value: inner }],
    }),
    value,
  );
}

function withoutBrackets(value: OptionValue): OptionValue {
  return value.kind === "list" && value.items.length === 1 ? value.items[0]! : value;
}

/** The Confluent server removes duplicates when it merges tags. */
function withoutDuplicates(value: OptionValue): OptionValue {
  if (value.kind !== "list") return value;
  const seen = new Set<string>();
  const items = value.items.filter((item) => {
    if (item.kind !== "string") return true;
    const isNew = !seen.has(item.value);
    seen.add(item.value);
    return isNew;
  });
  return { kind: "list", items };
}

/** Custom options are sorted by their name without parentheses and without the path inside them. */
function sortingName(name: readonly OptionNamePart[]): string {
  const [first] = name;
  return first!.isExtension ? first!.name : name.map((part) => part.name).join(".");
}

/** Maximum fraction digits of normalised numbers; a number that needs more stays as written. */
const MAX_FRACTION_DIGITS = 3;

/** A number without exponent and trailing zeros, or undefined if that would lose digits. */
function decimalText(value: number): string | undefined {
  if (!Number.isFinite(value) || Object.is(value, -0) || Math.abs(value) > Number.MAX_SAFE_INTEGER) return undefined;
  const text = value.toFixed(MAX_FRACTION_DIGITS);
  return Number(text) === value ? text.replace(/\.?0+$/, "") : undefined;
}
