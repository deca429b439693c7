/** A collection of embedded documents: what is stored, and how it was embedded. */
import type { ArtefactModel } from "../artefact.ts";
import type { PartDeclaration } from "../parts.ts";

export const DISTANCES = ["cosine", "dot", "euclid", "manhattan"] as const;
export const VECTOR_DATATYPES = ["float32", "float16", "uint8", "bit"] as const;
export const STORES = ["qdrant", "pgvector", "pinecone", "vectorize"] as const;
export type Store = (typeof STORES)[number];

export type Embedding = {
  model: string;
  revision: string | null;
  /** Models that give the same vectors, as `name` or `name@revision`. */
  sameAs: readonly string[];
  dimensions: number;
  distance: (typeof DISTANCES)[number];
  normalised: boolean;
  datatype: (typeof VECTOR_DATATYPES)[number];
  maxTokens: number | null;
  /** Prefixes of queries and documents, which are part of the embedded text. */
  prefix: string;
  /** Where the model runs, which changes no vector. */
  place: string;
};

export type CollectionFields = {
  embedding: Embedding;
  splitter: string;
  template: string | null;
  store: { kind: Store; name: string } | null;
  /** Indexed metadata fields with their types. */
  indexes: ReadonlyMap<string, string>;
};

export type CollectionModel = ArtefactModel<CollectionFields>;

const METADATA = {
  variance: "both",
  steers: false,
  warnsOfRemoval: false,
  refusesClosing: false,
  isBareEmpty: false,
  giver: "the indexer",
  taker: "the retriever",
} as const;

export const CHUNK_PART: PartDeclaration = { name: "chunk", ...METADATA };
export const DOCUMENT_PART: PartDeclaration = { name: "document", ...METADATA };

/** The identity that vectors depend on; provider, host and path are not part of it. */
export function modelIdentity({ model, revision }: Pick<Embedding, "model" | "revision">): string {
  return revision === null ? model : `${model}@${revision}`;
}

/** Whether the author declares that two models give the same vectors. */
export function isSameModel(a: Embedding, b: Embedding): boolean {
  const [first, second] = [modelIdentity(a), modelIdentity(b)];
  return first === second || a.sameAs.includes(second) || b.sameAs.includes(first);
}
