/** Avro behind the interface that all formats share. */
import type { Difference } from "../compatibility";
import type { SchemaFormat } from "../format";
import { canonicalText } from "./canonical";
import { compareAvro } from "./compare";
import { equivalentModels } from "./equivalence";
import { fieldsOf, topLevelNamesOf } from "./fields";
import type { AvroModel } from "./model";
import { normalisedText } from "./normalise";
import { parseAvro } from "./parse";
import { renderAvro } from "./render";
import { editAvroTags } from "./tags";
import { findWitnesses } from "./witness";

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
