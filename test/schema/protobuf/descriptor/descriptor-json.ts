/**
 * Descriptors as JSON with custom options decoded, so that two can be compared independently of the order of their
 * bytes.
 */
import { createFileRegistry, fromBinary, type JsonValue, toBinary, toJson } from "@bufbuild/protobuf";
import { type FileDescriptorProto, FileDescriptorProtoSchema, type FileDescriptorSet } from "@bufbuild/protobuf/wkt";

/** One descriptor as JSON; `files` contain the extensions that its options use. */
export function descriptorJson(descriptor: FileDescriptorProto, files: FileDescriptorSet): JsonValue {
  const registry = createFileRegistry(files);
  const copy = fromBinary(FileDescriptorProtoSchema, toBinary(FileDescriptorProtoSchema, descriptor));
  return toJson(FileDescriptorProtoSchema, copy, { registry });
}
