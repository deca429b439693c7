/** Descriptors as JSON with their custom options spelled out, so that two can be compared whatever order their bytes have. */
import { createFileRegistry, fromBinary, type JsonValue, toBinary, toJson } from "@bufbuild/protobuf";
import { type FileDescriptorProto, FileDescriptorProtoSchema, type FileDescriptorSet } from "@bufbuild/protobuf/wkt";

/** One descriptor as JSON; `files` hold the extensions that its options use. */
export function descriptorJson(descriptor: FileDescriptorProto, files: FileDescriptorSet): JsonValue {
  const registry = createFileRegistry(files);
  const copy = fromBinary(FileDescriptorProtoSchema, toBinary(FileDescriptorProtoSchema, descriptor));
  return toJson(FileDescriptorProtoSchema, copy, { registry });
}
