/** Random fields, and random types, labels and defaults for them. */
import {
  emptyField,
  type GenField,
  type GenFile,
  type GenMessage,
  isExtension,
  isMap,
  keepOptions,
  MAP_KEYS,
  NAMES,
  type Random,
  SCALARS,
} from "./generated-model.ts";

export function addField(random: Random, file: GenFile, message: GenMessage): void {
  const number = freeNumber(random, message);
  const name = freeName(random, message);
  const field = emptyField(name, number);
  message.fields.push(field);
  retype(random, file, field);
  relabel(random, file, field);
  if (random.chance(0.25)) moveIntoOneof(random, field);
  else if (random.chance(0.3)) redefault(random, file, message, field);
}

export function freeNumber(random: Random, message: GenMessage): number {
  const taken = new Set(message.fields.map(({ number }) => number));
  for (;;) {
    const number = 1 + random.below(20);
    if (!taken.has(number)) return number;
  }
}

export function freeName(random: Random, message: GenMessage): string {
  const taken = new Set(message.fields.map(({ name }) => name));
  for (;;) {
    const name = `${random.pick(NAMES)}_${random.pick(["a", "b", "c"])}`;
    if (!taken.has(name)) return name;
  }
}

export function retype(random: Random, file: GenFile, field: GenField): void {
  const roll = random.next();
  const names = typeNames(file);
  if (roll < 0.6) field.type = random.pick(SCALARS);
  else if (roll < 0.88 || field.oneof !== null || isExtension(field)) field.type = random.pick([...names, "string"]);
  else {
    field.type = `map<${random.pick(MAP_KEYS)}, ${random.pick([...SCALARS, ...names])}>`;
    field.label = "";
  }
  if (file.syntax === "proto2" && field.label === "" && !isMap(field) && field.oneof === null) field.label = "optional";
  field.options = keepOptions(field);
}

/** The types that a field anywhere in the file can use. */
export function typeNames(file: GenFile): string[] {
  return [
    ...file.enums.map(({ name }) => name),
    ...file.messages.flatMap((message) => [
      message.name,
      ...message.messages.map(({ name }) => `${message.name}.${name}`),
      ...message.enums.map(({ name }) => `${message.name}.${name}`),
    ]),
  ];
}

export function relabel(random: Random, file: GenFile, field: GenField): void {
  if (isMap(field) || field.oneof !== null) return;
  delete field.options.default;
  delete field.options.packed;
  delete field.options["features.field_presence"];
  if (file.syntax === "proto2") field.label = random.pick(["optional", "optional", "repeated", "required"]);
  else if (file.syntax === "proto3") field.label = random.pick(["", "", "optional", "repeated"]);
  else {
    field.label = random.pick(["", "", "repeated"]);
    if (field.label === "" && !isExtension(field) && random.chance(0.4)) {
      const isMessage = !SCALARS.includes(field.type) && !/Color|Shape/.test(field.type);
      field.options["features.field_presence"] = isMessage
        ? "LEGACY_REQUIRED"
        : random.pick(["IMPLICIT", "LEGACY_REQUIRED"]);
    }
  }
  if (field.label === "required" && isExtension(field)) field.label = "optional";
}

export function moveIntoOneof(random: Random, field: GenField): void {
  if (isMap(field)) return;
  field.oneof = random.pick(["choice", "other"]);
  field.label = "";
  field.options = keepOptions(field);
}

export function redefault(random: Random, file: GenFile, message: GenMessage, field: GenField): void {
  const isSingular = field.oneof === null && !isMap(field) && field.label !== "repeated";
  if (file.syntax === "proto3" || !isSingular || field.options["features.field_presence"] === "IMPLICIT") return;
  if (field.type === "string" || field.type === "bytes") field.options.default = random.pick(['""', '"x"', '"yz"']);
  else if (field.type === "bool") field.options.default = random.pick(["true", "false"]);
  else if (field.type === "float" || field.type === "double")
    field.options.default = random.pick(["0", "1.5", "-2", "inf", "nan"]);
  else if (SCALARS.includes(field.type)) field.options.default = random.pick(["0", "1", "3"]);
  else {
    const found = [...message.enums, ...file.enums].find(({ name }) => name === field.type);
    if (found !== undefined) field.options.default = random.pick(found.values).name;
  }
}
