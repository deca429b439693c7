/**
 * Differences in what a collection's vectors depend on. A different model with the same dimensions fails silently:
 * every store accepts its vectors, and every search finds the wrong neighbours.
 */
import { differenceAt, provenBy } from "../artefact.ts";
import type { Difference } from "../compatibility.ts";
import type { Witness } from "../witness.ts";
import { type CollectionModel, type Embedding, isSameModel, modelIdentity } from "./model.ts";

export function compareCollections(reader: CollectionModel, writer: CollectionModel): Difference[] {
  const found: Difference[] = [];
  const add = (pointer: string, kind: string, severity: Difference["severity"], message: string) => {
    found.push(differenceAt([reader, writer], pointer, { kind, severity, message }));
  };
  compareEmbeddings(reader.own.embedding, writer.own.embedding, add);
  const [now, before] = [reader.own, writer.own];
  if (now.splitter !== before.splitter) {
    const message = "Documents are split differently: chunks of both kinds are found beside each other.";
    add("/splitter", "SPLITTER_CHANGED", "behaviour", message);
  }
  if (now.template !== before.template) {
    const message = "Another text is embedded for a chunk: new vectors are not quite comparable with the stored ones.";
    add("/embed_template", "EMBED_TEMPLATE_CHANGED", "behaviour", message);
  }
  if (JSON.stringify(now.store) !== JSON.stringify(before.store)) {
    add("/store", "STORE_CHANGED", "warning", "The collection moves to another store or name.");
  }
  for (const [field, type] of now.indexes) {
    const earlier = before.indexes.get(field);
    if (earlier === undefined) add("/payload_indexes", "PAYLOAD_INDEX_ADDED", "info", `"${field}" is now indexed.`);
    else if (earlier !== type) {
      add(
        "/payload_indexes",
        "PAYLOAD_INDEX_CHANGED",
        "warning",
        `"${field}" is indexed as ${type} instead of ${earlier}.`,
      );
    }
  }
  for (const field of before.indexes.keys()) {
    if (!now.indexes.has(field)) {
      add(
        "/payload_indexes",
        "PAYLOAD_INDEX_REMOVED",
        "warning",
        `"${field}" is no longer indexed: filters on it are slow or refused.`,
      );
    }
  }
  return found;
}

type Add = (pointer: string, kind: string, severity: Difference["severity"], message: string) => void;

function compareEmbeddings(now: Embedding, before: Embedding, add: Add): void {
  if (!isSameModel(now, before)) {
    const message = `Vectors of ${modelIdentity(before)} cannot be compared with those of ${modelIdentity(now)}, even if they are equally long.`;
    add("/embedding/model", "EMBEDDING_MODEL_CHANGED", "breaking", message);
  }
  if (now.dimensions !== before.dimensions) {
    const message = `Vectors have ${now.dimensions} dimensions instead of ${before.dimensions}.`;
    add("/embedding/dimensions", "EMBEDDING_DIMENSIONS_CHANGED", "breaking", message);
  }
  if (now.distance !== before.distance) {
    const message = `The distance is ${now.distance} instead of ${before.distance}: scores and thresholds mean something else.`;
    add("/embedding/distance", "EMBEDDING_DISTANCE_CHANGED", "breaking", message);
  }
  if (now.normalised !== before.normalised) {
    const message = now.normalised ? "Vectors are now normalised." : "Vectors are no longer normalised.";
    add("/embedding/normalised", "EMBEDDING_NORMALISATION_CHANGED", "breaking", message);
  }
  if (now.prefix !== before.prefix) {
    const message = "Other texts are put before queries or documents, so stored vectors no longer fit new queries.";
    add("/embedding/prefix", "EMBEDDING_PREFIX_CHANGED", "breaking", message);
  }
  if (now.datatype !== before.datatype) {
    const message = `Vectors are stored as ${now.datatype} instead of ${before.datatype}.`;
    add("/embedding/datatype", "EMBEDDING_DATATYPE_CHANGED", "warning", message);
  }
  if (now.maxTokens !== before.maxTokens) {
    const message = "The model reads another number of tokens: longer chunks are cut elsewhere.";
    add("/embedding/max_tokens", "EMBEDDING_MAX_TOKENS_CHANGED", "behaviour", message);
  }
  if (now.place !== before.place) {
    add("/embedding", "EMBEDDING_PLACE_CHANGED", "info", "The model runs elsewhere, which changes no vector.");
  }
}

/** A query embedded by the earlier version, run against the new collection. */
export function witnessOfCollection(
  reader: CollectionModel,
  writer: CollectionModel,
  { kind }: Difference,
): Witness | undefined {
  const [now, before] = [reader.own.embedding, writer.own.embedding];
  const query = {
    query: {
      model: modelIdentity(before),
      dimensions: before.dimensions,
      distance: before.distance,
      normalised: before.normalised,
    },
  };
  if (kind === "EMBEDDING_DIMENSIONS_CHANGED" && now.dimensions !== before.dimensions) {
    return provenBy("collection", query, `expected dim: ${now.dimensions}, got ${before.dimensions}`);
  }
  if (kind === "EMBEDDING_MODEL_CHANGED" && !isSameModel(now, before)) {
    return provenBy("collection", query, `The stored vectors are of ${modelIdentity(now)}: neighbours are arbitrary.`);
  }
  if (kind === "EMBEDDING_DISTANCE_CHANGED" && now.distance !== before.distance) {
    return provenBy(
      "collection",
      query,
      `The score is a ${now.distance} distance; the caller reads a ${before.distance} one.`,
    );
  }
  if (kind === "EMBEDDING_NORMALISATION_CHANGED" && now.normalised !== before.normalised) {
    const stored = now.normalised ? "normalised" : "not normalised";
    return provenBy("collection", query, `The stored vectors are ${stored}, the query's vector is not like them.`);
  }
  if (kind === "EMBEDDING_PREFIX_CHANGED" && now.prefix !== before.prefix) {
    return provenBy(
      "collection",
      query,
      "The query's vector lacks the text that the stored vectors were embedded with.",
    );
  }
  return undefined;
}
