/** The messages of a schema in protobuf-es, which works with closures and generates no code. */
import { create, createFileRegistry, type DescMessage, type FileRegistry } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import type { DataRefusal } from "../../data.ts";
import { pointerToken } from "../../json-text.ts";
import { ok, type Result, refuse } from "../../result.ts";
import { toDescriptor } from "../descriptor/write.ts";
import { joinName, type ProtobufModel } from "../model.ts";

export type MessageTypes = { registry: FileRegistry; file: string };
export type MessageType = { types: MessageTypes; message: DescMessage };

/** Derived only from a model, so they may be cached as long as the model. */
const TYPES = new WeakMap<ProtobufModel, Result<MessageTypes, DataRefusal>>();

/** The message with that full name, or the first of the schema. */
export function findMessageType(model: ProtobufModel, name: string | undefined): Result<MessageType, DataRefusal> {
  const known = TYPES.get(model) ?? typesOf(model);
  TYPES.set(model, known);
  if (!known.ok) return known;
  const types = known.value;
  const { file } = model;
  const [first] = file.messages;
  const wanted = name ?? (first === undefined ? undefined : joinName(file.package, first.name));
  const message = wanted === undefined ? undefined : types.registry.getMessage(wanted);
  if (message !== undefined) return ok({ types, message });
  if (wanted === undefined) return refuse({ reason: "unsupported", message: "The schema has no message." });
  const has = file.messages.map((each) => joinName(file.package, each.name)).slice(0, 10);
  return refuse({
    reason: "unsupported",
    message: `The schema has no message "${wanted.slice(0, 200)}" (it has ${has.join(", ")}).`,
  });
}

function typesOf(model: ProtobufModel): Result<MessageTypes, DataRefusal> {
  try {
    const root = toDescriptor(model);
    const registry = createFileRegistry(root, (path) => {
      const file = model.files.get(path);
      // Only options need a missing file, and options do not affect data.
      return file === undefined ? create(FileDescriptorProtoSchema, { name: path }) : toDescriptor(model, file);
    });
    return ok({ registry, file: root.name });
  } catch (error) {
    const message = `The schema cannot be used for data: ${error instanceof Error ? error.message : error}`;
    return refuse({ reason: "invalid_schema", message });
  }
}

/** `#/Outer/Inner` in the schema itself; messages of other files are identified by their full name. */
export function messagePointer({ file, typeName }: DescMessage, types: MessageTypes): string {
  if (file.proto.name !== types.file) return `#/${pointerToken(typeName)}`;
  const local = file.proto.package === "" ? typeName : typeName.slice(file.proto.package.length + 1);
  return `#/${local.split(".").map(pointerToken).join("/")}`;
}

/**
 * The message for message indexes of the Confluent wire format: positions in the text, from the outermost message
 * inwards.
 */
export function messageNameAt({ file }: ProtobufModel, indexes: readonly number[]): string | undefined {
  let name = file.package;
  let messages = file.messages;
  for (const index of indexes) {
    const message = messages[index];
    if (message === undefined) return undefined;
    name = joinName(name, message.name);
    messages = message.messages;
  }
  return indexes.length === 0 ? undefined : name;
}

/** The indexes of a message, or undefined if the schema itself has none of that name. */
export function findMessageIndexes({ file }: ProtobufModel, name: string): number[] | undefined {
  const indexes: number[] = [];
  let scope = file.package;
  let messages = file.messages;
  while (scope !== name) {
    const index = messages.findIndex((message) => {
      const full = joinName(scope, message.name);
      return name === full || name.startsWith(`${full}.`);
    });
    const message = messages[index];
    if (message === undefined) return undefined;
    indexes.push(index);
    scope = joinName(scope, message.name);
    messages = message.messages;
  }
  return indexes;
}
