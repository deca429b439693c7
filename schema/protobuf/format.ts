/** Protobuf behind the interface that all formats share. */
import type { ConfluentFormat } from "../format.ts";
import { ok } from "../result.ts";
import { compareInSlices, compareProtobuf, confluentLine } from "./compare/compare.ts";
import { protobufData } from "./data/data.ts";
import { listFields, listTopLevelNames } from "./fields.ts";
import type { ProtobufModel } from "./model.ts";
import { parseInSlices, parseProtobuf } from "./parse/parse.ts";
import { bundleProtobuf } from "./text/bundle.ts";
import { canonicalText } from "./text/canonical.ts";
import { normalisedText } from "./text/normalise.ts";
import { renderProtobuf } from "./text/render.ts";
import { editProtobufTags } from "./text/tags.ts";
import { protobufWitnesses, witnessesInSlices } from "./witness/witness.ts";

export const protobuf: ConfluentFormat<ProtobufModel> = {
  name: "protobuf",
  schemaType: "PROTOBUF",
  codeVersion: 2,
  policies: ["strict", "lenient", "semantic", "buf_wire", "buf_wire_json", "buf_csr", "buf_package", "buf_file"],
  parse: parseProtobuf,
  parseInSlices,
  canonicalText,
  normalisedText,
  equivalent: (a, b) => canonicalText(a) === canonicalText(b),
  render: renderProtobuf,
  bundle: (model) => ok(bundleProtobuf(model)),
  fields: listFields,
  topLevelNames: listTopLevelNames,
  dialect: () => null,
  editTags: editProtobufTags,
  data: protobufData,
  compare: compareProtobuf,
  compareInSlices,
  confluentLine,
  witnesses: protobufWitnesses,
  witnessesInSlices,
};
