/** The views of a schema's text that clients request with `format=`. */

import type { DescriptorProto, FileDescriptorProto } from "@bufbuild/protobuf/wkt";
import { encodeBase64 } from "../../base64.ts";
import { descriptorBytes, toDescriptor } from "../descriptor/write.ts";
import type { Enum, Extend, Field, Message, Oneof, Option, ProtobufModel, ProtoFile } from "../model.ts";
import { printFile } from "./canonical.ts";

/** `serialized`: a FileDescriptorProto in base64. `ignore_extensions`: the text without extensions and custom options. */
export function renderProtobuf(model: ProtobufModel, view: string): string | undefined {
  switch (view) {
    case "serialized":
      return encodeBase64(descriptorBytes(withEntriesLast(toDescriptor(model))));
    case "ignore_extensions":
      return printFile(withoutExtensions(model.file));
    default:
      return undefined;
  }
}

/**
 * Map entries come after the messages of the text, as in the Confluent server's descriptors: message indexes are
 * counted in the text, and so refer to the same messages in the descriptor.
 */
function withEntriesLast(file: FileDescriptorProto): FileDescriptorProto {
  const reorder = (message: DescriptorProto) => {
    const isEntry = ({ options }: DescriptorProto) => options?.mapEntry === true;
    message.nestedType = [
      ...message.nestedType.filter((nested) => !isEntry(nested)),
      ...message.nestedType.filter(isEntry),
    ];
    message.nestedType.forEach(reorder);
  };
  file.messageType.forEach(reorder);
  return file;
}

function withoutExtensions(file: ProtoFile): ProtoFile {
  return {
    ...file,
    options: standard(file.options),
    messages: file.messages.map(plainMessage),
    enums: file.enums.map(plainEnum),
    services: file.services.map((service) => ({
      ...service,
      options: standard(service.options),
      methods: service.methods.map((method) => ({ ...method, options: standard(method.options) })),
    })),
    extends: NO_EXTENDS,
  };
}

const NO_EXTENDS: readonly Extend[] = [];

function plainMessage(message: Message): Message {
  // Fields refer to their oneof by identity, so a changed oneof changes its fields.
  const oneofs = new Map<Oneof | null, Oneof>(
    message.oneofs.map((oneof) => [oneof, { ...oneof, options: standard(oneof.options) }]),
  );
  return {
    ...message,
    options: standard(message.options),
    fields: message.fields.map((field) => plainField(field, oneofs)),
    oneofs: [...oneofs.values()],
    messages: message.messages.map(plainMessage),
    enums: message.enums.map(plainEnum),
    extends: NO_EXTENDS,
    extensionRanges: [],
  };
}

function plainField(field: Field, oneofs: ReadonlyMap<Oneof | null, Oneof>): Field {
  const { type } = field;
  return {
    ...field,
    type: type.kind === "group" ? { kind: "group", message: plainMessage(type.message) } : type,
    oneof: oneofs.get(field.oneof) ?? null,
    options: standard(field.options),
  };
}

function plainEnum(element: Enum): Enum {
  return {
    ...element,
    options: standard(element.options),
    values: element.values.map((value) => ({ ...value, options: standard(value.options) })),
  };
}

/** Options that need no extension, and the Confluent server's meta options, which it keeps in this view. */
function standard(options: readonly Option[]): readonly Option[] {
  return options.filter(
    ({ name }) =>
      name.every(({ isExtension }) => !isExtension) || name[0]!.name.replace(/^\./, "").startsWith("confluent."),
  );
}
