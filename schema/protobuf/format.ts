/** Protobuf behind the interface that all formats share. */
import type { SchemaFormat } from "../format";
import { canonicalText } from "./canonical";
import { compareProtobuf, confluentLine } from "./compare";
import { fieldsOf, topLevelNamesOf } from "./fields";
import type { ProtobufModel } from "./model";
import { normalisedText } from "./normalise";
import { parseProtobuf } from "./parse";
import { renderProtobuf } from "./render";
import { editProtobufTags } from "./tags";
import { protobufWitnesses } from "./witness";

export const protobuf: SchemaFormat<ProtobufModel> = {
  name: "protobuf",
  schemaType: "PROTOBUF",
  codeVersion: 1,
  policies: ["strict", "lenient", "semantic", "buf_wire", "buf_wire_json", "buf_csr", "buf_package", "buf_file"],
  parse: parseProtobuf,
  canonicalText,
  normalisedText,
  equivalent: (a, b) => canonicalText(a) === canonicalText(b),
  render: renderProtobuf,
  fields: fieldsOf,
  topLevelNames: topLevelNamesOf,
  editTags: editProtobufTags,
  compare: compareProtobuf,
  confluentLine,
  witnesses: protobufWitnesses,
};
