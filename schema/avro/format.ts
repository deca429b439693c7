/** Avro behind the interface that all formats share. */
import type { Difference } from "../compatibility.ts";
import type { SchemaFormat } from "../format.ts";
import { canonicalText } from "./canonical.ts";
import { compareAvro } from "./compare.ts";
import { equivalentModels } from "./equivalence.ts";
import { fieldsOf, topLevelNamesOf } from "./fields.ts";
import type { AvroModel } from "./model.ts";
import { normalisedText } from "./normalise.ts";
import { parseAvro } from "./parse.ts";
import { renderAvro } from "./render.ts";
import { editAvroTags } from "./tags.ts";
import { findWitnesses } from "./witness.ts";

export const avro: SchemaFormat<AvroModel> = {
  name: "avro",
  schemaType: "AVRO",
  codeVersion: 1,
  policies: ["strict", "lenient", "semantic"],
  parse: parseAvro,
  canonicalText,
  normalisedText,
  equivalent: equivalentModels,
  render: renderAvro,
  fields: fieldsOf,
  topLevelNames: topLevelNamesOf,
  editTags: editAvroTags,
  compare: compareAvro,
  confluentLine,
  witnesses: findWitnesses,
};

/** Tools search such lines for `errorType:`; the rest is for people. */
function confluentLine({ kind, message, reader_pointer, writer_pointer }: Difference): string {
  const places = [
    reader_pointer === null ? null : `reader: ${reader_pointer || "/"}`,
    writer_pointer === null ? null : `writer: ${writer_pointer || "/"}`,
  ];
  return `{errorType:'${kind}', description:'${message}', additionalInfo:'${places.filter((place) => place !== null).join(", ")}'}`;
}
