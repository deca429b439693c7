/** Collections behind the interface that all formats share. */
import { ANY_VALUE, artefactFormat, partAt, readMember } from "../artefact.ts";
import type { SchemaFormat } from "../format.ts";
import { type JsonObject, writeJsonText } from "../json-text.ts";
import { compareCollections, witnessOfCollection } from "./compare.ts";
import { CHUNK_PART, type CollectionFields, type CollectionModel, DOCUMENT_PART, type Embedding } from "./model.ts";
import { planForCollection } from "./plan.ts";
import { COLLECTION_SHAPE } from "./shape.ts";

export const collection: SchemaFormat<CollectionModel> = artefactFormat<CollectionFields>({
  name: "collection",
  codeVersion: 1,
  shape: COLLECTION_SHAPE,
  partsOf: (root) => [
    partAt(root, CHUNK_PART, ["chunk"], ANY_VALUE),
    partAt(root, DOCUMENT_PART, ["document"], ANY_VALUE),
  ],
  readOwn: (root) => ({ own: fieldsOf(root), problems: [], warnings: [] }),
  compareOwn: compareCollections,
  witnessOwn: witnessOfCollection,
  plan: planForCollection,
});

type WrittenEmbedding = Pick<Embedding, "model" | "dimensions" | "distance"> &
  Partial<Pick<Embedding, "normalised" | "datatype">> & {
    revision?: string;
    same_as?: string[];
    max_tokens?: number;
    prefix?: { query?: string; document?: string };
    provider?: string;
    host?: string;
    path?: string;
  };

function fieldsOf(root: JsonObject): CollectionFields {
  const written = readMember(root, "embedding") as WrittenEmbedding;
  const { revision, same_as, max_tokens, prefix, provider, host, path, normalised, datatype, ...same } = written;
  const splitter = root.members.get("splitter");
  const indexes = (readMember(root, "payload_indexes") ?? []) as { field: string; type: string }[];
  return {
    embedding: {
      ...same,
      revision: revision ?? null,
      sameAs: same_as ?? [],
      normalised: normalised ?? false,
      datatype: datatype ?? "float32",
      maxTokens: max_tokens ?? null,
      prefix: JSON.stringify([prefix?.query ?? "", prefix?.document ?? ""]),
      place: JSON.stringify([provider ?? "", host ?? "", path ?? ""]),
    },
    splitter: splitter === undefined ? "" : writeJsonText(splitter, { sortKeys: true }),
    template: (readMember(root, "embed_template") as string | undefined) ?? null,
    store: (readMember(root, "store") as CollectionFields["store"] | undefined) ?? null,
    indexes: new Map(indexes.map(({ field, type }) => [field, type])),
  };
}
