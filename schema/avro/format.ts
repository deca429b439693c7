/** Avro behind the interface that all formats share. */
import type { ConfluentFormat } from "../format.ts";
import { ok } from "../result.ts";
import { compareAvro, compareInSlices } from "./compare/compare.ts";
import { confluentLine } from "./compare/confluent/line.ts";
import { avroData } from "./data.ts";
import { listFields, listTopLevelNames } from "./fields.ts";
import type { AvroModel } from "./model.ts";
import { parseAvro, parseInSlices } from "./parse/parse.ts";
import { canonicalText, normalisedText, resolvedText } from "./text/canonical.ts";
import { equivalentModels } from "./text/equivalence.ts";
import { renderAvro } from "./text/render.ts";
import { editAvroTags } from "./text/tags.ts";
import { findWitnesses, witnessesInSlices } from "./witness/find-witnesses.ts";

export const avro: ConfluentFormat<AvroModel> = {
  name: "avro",
  schemaType: "AVRO",
  codeVersion: 2,
  policies: ["strict", "lenient", "semantic"],
  parse: parseAvro,
  parseInSlices,
  canonicalText,
  normalisedText,
  equivalent: equivalentModels,
  render: renderAvro,
  bundle: (model) => ok(resolvedText(model)),
  fields: listFields,
  dialect: () => null,
  topLevelNames: listTopLevelNames,
  editTags: editAvroTags,
  data: avroData,
  compare: compareAvro,
  compareInSlices,
  confluentLine,
  witnesses: findWitnesses,
  witnessesInSlices,
};
