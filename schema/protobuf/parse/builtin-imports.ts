/** The files a schema may import without a reference, and the linked descriptor.proto that gives options their meaning. */
import {
  file_google_protobuf_any,
  file_google_protobuf_api,
  file_google_protobuf_cpp_features,
  file_google_protobuf_descriptor,
  file_google_protobuf_duration,
  file_google_protobuf_empty,
  file_google_protobuf_field_mask,
  file_google_protobuf_go_features,
  file_google_protobuf_java_features,
  file_google_protobuf_source_context,
  file_google_protobuf_struct,
  file_google_protobuf_timestamp,
  file_google_protobuf_type,
  file_google_protobuf_wrappers,
} from "@bufbuild/protobuf/wkt";
import { runAtOnce } from "../../slices.ts";
import { fileFromDescriptor } from "../descriptor/read.ts";
import {
  type Definition,
  isMessageDefinition,
  type Message,
  type ProtobufModel,
  type ProtoFile,
  resolveType,
} from "../model.ts";
import { optionsFromBytes } from "../options/bytes.ts";
import { parseFile } from "./file.ts";
import { GOOGLE_TYPE_FILES } from "./google-type.ts";
import { link } from "./link.ts";

const CONFLUENT_FILES: Readonly<Record<string, string>> = {
  "confluent/meta.proto": `syntax = "proto3";
package confluent;
import "google/protobuf/descriptor.proto";
option java_package = "io.confluent.protobuf";
message Meta {
  string doc = 1;
  map<string, string> params = 2;
  repeated string tags = 3;
}
extend google.protobuf.FileOptions {
  Meta file_meta = 1088;
}
extend google.protobuf.MessageOptions {
  Meta message_meta = 1088;
}
extend google.protobuf.FieldOptions {
  Meta field_meta = 1088;
}
extend google.protobuf.EnumOptions {
  Meta enum_meta = 1088;
}
extend google.protobuf.EnumValueOptions {
  Meta enum_value_meta = 1088;
}
`,
  "confluent/type/decimal.proto": `syntax = "proto3";
package confluent.type;
option java_package = "io.confluent.protobuf.type";
message Decimal {
  bytes value = 1;
  uint32 precision = 2;
  int32 scale = 3;
}
`,
  "confluent/type/variant.proto": `syntax = "proto3";
package confluent.type;
option java_package = "io.confluent.protobuf.type";
message Variant {
  bytes metadata = 1;
  bytes value = 2;
}
`,
};

const TEXTS = new Map(Object.entries({ ...GOOGLE_TYPE_FILES, ...CONFLUENT_FILES }));
const DESCRIPTORS = new Map(
  [
    file_google_protobuf_any,
    file_google_protobuf_api,
    file_google_protobuf_cpp_features,
    file_google_protobuf_descriptor,
    file_google_protobuf_duration,
    file_google_protobuf_empty,
    file_google_protobuf_field_mask,
    file_google_protobuf_go_features,
    file_google_protobuf_java_features,
    file_google_protobuf_source_context,
    file_google_protobuf_struct,
    file_google_protobuf_timestamp,
    file_google_protobuf_type,
    file_google_protobuf_wrappers,
  ].map(({ proto }) => [proto.name, proto]),
);

// Constants that are computed on first use, because a Worker's start-up time is limited. Nothing else may be cached
// here.
const files = new Map<string, ProtoFile>();
let linkedDescriptor: ProtobufModel | undefined;

export const BUILTIN_IMPORTS: ReadonlySet<string> = new Set([...TEXTS.keys(), ...DESCRIPTORS.keys()]);

/** The built-in file with that import path, or undefined. */
export function builtinFile(path: string): ProtoFile | undefined {
  const known = files.get(path);
  if (known !== undefined) return known;
  const file = readText(path) ?? readDescriptor(path);
  if (file !== undefined) files.set(path, file);
  return file;
}

/** descriptor.proto, linked: the definitions of all standard options. */
export function descriptorModel(): ProtobufModel {
  linkedDescriptor ??= linkBuiltin(builtinFile("google/protobuf/descriptor.proto")!);
  return linkedDescriptor;
}

function readText(path: string): ProtoFile | undefined {
  const text = TEXTS.get(path);
  if (text === undefined) return undefined;
  const result = parseFile(text, { path, reference: null, isBuiltin: true, isLenient: true });
  if (!result.ok) throw new Error(`Built-in file ${path}: ${result.refusal.problem.message}`);
  return result.value.file;
}

function readDescriptor(path: string): ProtoFile | undefined {
  const descriptor = DESCRIPTORS.get(path);
  if (descriptor === undefined) return undefined;
  const settings = { path, reference: null, isBuiltin: true };
  // descriptor.proto defines its own options, so it is read first without them, then with them.
  const plain = () =>
    linkBuiltin(
      fileFromDescriptor(DESCRIPTORS.get("google/protobuf/descriptor.proto")!, { ...settings, readOptions: () => [] }),
    );
  const model = path === "google/protobuf/descriptor.proto" ? plain() : descriptorModel();
  return fileFromDescriptor(descriptor, {
    ...settings,
    readOptions: (kind, bytes) =>
      optionsFromBytes(kind, bytes, {
        message: (fullName) => messageDefinition(model, fullName),
        extension: () => undefined,
        type: (field, name) => resolveType(model, field, name),
      }),
  });
}

/** Links a built-in file, which imports only built-in files. */
function linkBuiltin(root: ProtoFile): ProtobufModel {
  const source = { text: "", references: [] };
  const refuse = () => {
    throw new Error("Built-in files have no references.");
  };
  const result = runAtOnce(link(root, source, refuse, builtinFile));
  if (!result.ok) throw new Error(result.refusal.problems[0]!.message);
  return result.value.model;
}

export function messageDefinition(model: ProtobufModel, fullName: string): Definition<Message> | undefined {
  const definition = model.definitions.get(fullName);
  return definition !== undefined && isMessageDefinition(definition) ? definition : undefined;
}
