/** Protobuf behind the interface that all formats share. */
import type { SchemaFormat } from "../format.ts";
import { canonicalText } from "./canonical.ts";
import { compareProtobuf, confluentLine } from "./compare.ts";
import { fieldsOf, topLevelNamesOf } from "./fields.ts";
import type { ProtobufModel } from "./model.ts";
import { normalisedText } from "./normalise.ts";
import { parseProtobuf } from "./parse.ts";
import { renderProtobuf } from "./render.ts";
import { editProtobufTags } from "./tags.ts";
import { protobufWitnesses } from "./witness.ts";

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
