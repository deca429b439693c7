/** Converts the bytes of an options message to written options, using the definitions of their fields. */
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import {
  type Definition,
  type Field,
  isEnumDefinition,
  isMessageDefinition,
  type Message,
  type Option,
  type OptionField,
  type OptionFieldName,
  type OptionNamePart,
  type OptionValue,
  type ScalarType,
  type TypeDefinition,
} from "../model.ts";
import { MAX_OPTION_DEPTH } from "../parse/options.ts";
import { fromBytes, ProtoTextError } from "../parse/tokens.ts";

/** The name resolution that decoding needs. */
type OptionNames = {
  message(fullName: string): Definition<Message> | undefined;
  extension(extendee: string, number: number): Definition<Field> | undefined;
  /** The type of a field, resolved in the scope of its declaration. */
  type(field: Definition<Field>, name: string): TypeDefinition | undefined;
};

/**
 * The options in the bytes of `google.protobuf.<kind>`. Fields without a definition cannot be written and are omitted.
 */
export function optionsFromBytes(kind: string, bytes: Uint8Array, names: OptionNames): Option[] {
  const definition = names.message(`google.protobuf.${kind}`);
  if (definition === undefined) return [];
  return decodeMessage(new BinaryReader(bytes), undefined, definition, names, 0)
    .filter(({ name }) => name.kind !== "field" || name.name !== "uninterpreted_option")
    .flatMap(({ start, name, value }) =>
      // Lists are written only inside messages; at the top level each item is a separate option.
      (value.kind === "list" ? value.items : [value]).flatMap((item) =>
        flatten(start, [{ name: name.name, isExtension: name.kind === "extension" }], item),
      ),
    );
}

/** `features = { a: X }` is written as `features.a = X`, as in protoc's own texts. */
function flatten(start: number, name: readonly OptionNamePart[], value: OptionValue): Option[] {
  if (name[0]!.name !== "features" || value.kind !== "message") return [{ start, name, value }];
  return value.fields.flatMap((field) =>
    field.name.kind === "any"
      ? []
      : flatten(start, [...name, { name: field.name.name, isExtension: field.name.kind === "extension" }], field.value),
  );
}

type Decoded = { name: OptionFieldName; values: OptionValue[]; isRepeated: boolean };

/** Reads up to the end of the bytes, or to the end of group `group`. */
function decodeMessage(
  reader: BinaryReader,
  group: number | undefined,
  definition: Definition<Message>,
  names: OptionNames,
  depth: number,
): OptionField[] {
  if (depth > MAX_OPTION_DEPTH) {
    const message = `Option values are nested deeper than ${MAX_OPTION_DEPTH} levels.`;
    throw new ProtoTextError("option_too_deep", message, 0, "too_complex");
  }
  const byNumber = fieldsByNumber(definition);
  const decoded = new Map<number, Decoded>();
  while (reader.pos < reader.len) {
    const [number, wireType] = reader.tag();
    if (wireType === WireType.EndGroup) {
      if (number !== group) throw malformed();
      break;
    }
    const field = byNumber.get(number) ?? names.extension(definition.fullName, number);
    if (field === undefined) {
      skip(reader, wireType, number);
      continue;
    }
    let entry = decoded.get(number);
    if (entry === undefined) {
      const isRepeated = field.element.label === "repeated" || field.element.type.kind === "map";
      entry = { name: fieldName(field), values: [], isRepeated };
      decoded.set(number, entry);
    }
    decodeValues(reader, wireType, number, field, names, depth, entry.values);
  }
  return [...decoded.values()].flatMap(({ name, values, isRepeated }): OptionField[] => {
    if (values.length === 0) return [];
    const value = !isRepeated ? values.at(-1)! : values.length === 1 ? values[0]! : list(values);
    return [{ start: 0, name, value }];
  });
}

function list(items: OptionValue[]): OptionValue {
  return { kind: "list", items };
}

function fieldsByNumber(definition: Definition<Message>): Map<number, Definition<Field>> {
  return new Map(
    definition.element.fields.map((element) => [
      element.number,
      {
        file: definition.file,
        fullName: `${definition.fullName}.${element.name}`,
        element,
        parent: definition,
        extend: null,
      },
    ]),
  );
}

function fieldName({ element, extend, fullName }: Definition<Field>): OptionFieldName {
  if (extend !== null) return { kind: "extension", name: fullName };
  // The text format calls a group by the name of its message.
  return { kind: "field", name: element.type.kind === "group" ? element.type.message.name : element.name };
}

function decodeValues(
  reader: BinaryReader,
  wireType: WireType,
  number: number,
  field: Definition<Field>,
  names: OptionNames,
  depth: number,
  values: OptionValue[],
): void {
  const { type } = field.element;
  if (type.kind === "scalar") {
    const isPacked = wireType === WireType.LengthDelimited && type.name !== "string" && type.name !== "bytes";
    if (!isPacked) values.push(scalar(reader, type.name));
    else forPacked(reader, () => values.push(scalar(reader, type.name)));
    return;
  }
  if (type.kind === "named") {
    const target = names.type(field, type.name);
    if (target !== undefined && isEnumDefinition(target)) {
      const read = () => values.push(enumValue(reader.int32(), target.element.values));
      if (wireType === WireType.LengthDelimited) forPacked(reader, read);
      else read();
      return;
    }
    if (target !== undefined && isMessageDefinition(target)) {
      values.push(message(reader, wireType, number, target, names, depth));
      return;
    }
    skip(reader, wireType, number);
    return;
  }
  const target = type.kind === "group" ? type.message : type.entry;
  const parent = field.parent;
  const scope = parent?.fullName ?? field.file.package;
  const fullName = scope === "" ? target.name : `${scope}.${target.name}`;
  const definition: Definition<Message> = { file: field.file, fullName, element: target, parent, extend: null };
  values.push(message(reader, wireType, number, definition, names, depth));
}

function message(
  reader: BinaryReader,
  wireType: WireType,
  number: number,
  definition: Definition<Message>,
  names: OptionNames,
  depth: number,
): OptionValue {
  if (wireType === WireType.StartGroup) {
    return { kind: "message", fields: decodeMessage(reader, number, definition, names, depth + 1) };
  }
  if (wireType !== WireType.LengthDelimited) throw malformed();
  const inner = new BinaryReader(reader.bytes());
  return { kind: "message", fields: decodeMessage(inner, undefined, definition, names, depth + 1) };
}

function forPacked(reader: BinaryReader, read: () => void): void {
  const end = reader.uint32() + reader.pos;
  while (reader.pos < end) read();
}

function skip(reader: BinaryReader, wireType: WireType, number: number): void {
  // The library skips groups recursively; no option needs a group of unknown content.
  if (wireType === WireType.StartGroup || wireType === WireType.EndGroup) throw malformed();
  reader.skip(wireType, number);
}

function malformed(): ProtoTextError {
  return new ProtoTextError("invalid_descriptor", "The options of a descriptor are malformed.", 0);
}

function enumValue(number: number, values: readonly { name: string; number: number }[]): OptionValue {
  const known = values.find((value) => value.number === number);
  return known === undefined ? integer(number) : { kind: "identifier", name: known.name };
}

function integer(value: number | bigint | string): OptionValue {
  return { kind: "integer", value: BigInt(value), text: String(value) };
}

function float(value: number, isSingle: boolean): OptionValue {
  if (Number.isNaN(value)) return { kind: "identifier", name: "nan" };
  if (!Number.isFinite(value)) return { kind: "identifier", name: value > 0 ? "inf" : "-inf" };
  return { kind: "float", value, text: isSingle ? shortestSingle(value) : String(value) };
}

/** The fewest digits that identify this single-precision number. */
export function shortestSingle(value: number): string {
  for (let digits = 6; digits < 9; digits++) {
    const text = String(Number(value.toPrecision(digits)));
    if (Math.fround(Number(text)) === value) return text;
  }
  return String(Number(value.toPrecision(9)));
}

function scalar(reader: BinaryReader, name: ScalarType): OptionValue {
  switch (name) {
    case "double":
      return float(reader.double(), false);
    case "float":
      return float(reader.float(), true);
    case "bool":
      return { kind: "identifier", name: reader.bool() ? "true" : "false" };
    case "string":
    case "bytes":
      return { kind: "string", ...fromBytes(reader.bytes()) };
    default:
      return integer(reader[name]());
  }
}
