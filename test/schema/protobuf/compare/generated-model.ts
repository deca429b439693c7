/** A .proto file as the generators of test schemas build it. */

/** A small seeded generator (mulberry32): same seed, same schema. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!;
  }
}

export type Syntax = "proto2" | "proto3" | "2023";

export type GenField = {
  name: string;
  number: number;
  label: "" | "optional" | "required" | "repeated";
  /** A scalar, the name of a message or enum, `map<…>` or `group`. */
  type: string;
  options: Record<string, string>;
  oneof: string | null;
};

export type GenEnum = { name: string; values: { name: string; number: number }[]; reserved: string[]; closed: boolean };

export type GenMessage = {
  name: string;
  fields: GenField[];
  messages: GenMessage[];
  enums: GenEnum[];
  reserved: string[];
  extensions: string[];
  options: Record<string, string>;
};

export type GenRpc = { name: string; input: string; output: string; options: Record<string, string> };

export type GenFile = {
  syntax: Syntax;
  package: string;
  options: Record<string, string>;
  messages: GenMessage[];
  enums: GenEnum[];
  services: { name: string; rpcs: GenRpc[] }[];
  extends: { extendee: string; field: GenField }[];
};

/** Built-in types and the files they are imported from. */
export const WELL_KNOWN: Record<string, string> = {
  "google.protobuf.Timestamp": "google/protobuf/timestamp.proto",
  "google.protobuf.Duration": "google/protobuf/duration.proto",
  "google.protobuf.StringValue": "google/protobuf/wrappers.proto",
  "google.protobuf.Any": "google/protobuf/any.proto",
};

export const SCALARS =
  "double float int32 int64 uint32 uint64 sint32 sint64 fixed32 fixed64 sfixed32 sfixed64 bool string bytes".split(" ");

export const MAP_KEYS = "int32 int64 uint32 uint64 sint32 sint64 fixed32 fixed64 sfixed32 sfixed64 bool string".split(
  " ",
);

export const NAMES = "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu".split(" ");

export function allMessages(file: GenFile): GenMessage[] {
  return file.messages.flatMap((message) => [message, ...message.messages]);
}

export function allEnums(file: GenFile): GenEnum[] {
  return [...file.enums, ...file.messages.flatMap(({ enums }) => enums)];
}

export function emptyMessage(name: string): GenMessage {
  return { name, fields: [], messages: [], enums: [], reserved: [], extensions: [], options: {} };
}

export function emptyField(name: string, number: number): GenField {
  return { name, number, label: "", type: "int32", options: {}, oneof: null };
}

export function isMap(field: GenField): boolean {
  return field.type.startsWith("map<");
}

export function isExtension({ name }: GenField): boolean {
  return name.startsWith("extra_");
}

export function jsonNameOf(name: string): string {
  return name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

export function setOption(options: Record<string, string>, name: string, value: string): void {
  if (options[name] === value) delete options[name];
  else options[name] = value;
}

/** Options that the new type does not allow are dropped. */
export function keepOptions(field: GenField): Record<string, string> {
  return field.options.json_name === undefined ? {} : { json_name: field.options.json_name };
}
