/** What must happen to stored vectors, in order, with the commands of the store that the collection names. */
import type { Difference } from "../compatibility.ts";
import { boundedPlan, type Plan, type PlanAction } from "../plan.ts";
import type { CollectionModel, Embedding, Store } from "./model.ts";

const RE_EMBEDS = /^EMBEDDING_(?:MODEL|DIMENSIONS|NORMALISATION|PREFIX)_CHANGED$/;
const RE_INDEXES = /^EMBEDDING_(?:DISTANCE|DATATYPE)_CHANGED$/;
const RE_EMBEDDING_ADVISED = /^(?:SPLITTER|EMBED_TEMPLATE)_CHANGED$/;

const LISTED_COMMANDS = 10;
const LISTED_BACKFILLS = 10;

export function planForCollection(
  _previous: CollectionModel,
  next: CollectionModel,
  differences: readonly Difference[],
): Plan {
  const actions = [
    ...vectorActions(next, differences),
    ...payloadIndexActions(next, differences),
    ...backfillActions(differences),
  ];
  if (actions.length === 0 && differences.length > 0) {
    actions.push({ action: "nothing", reason: "Stored vectors and metadata stay as they are." });
  }
  return boundedPlan(actions);
}

function matching(differences: readonly Difference[], kinds: RegExp): readonly Difference[] {
  return differences.filter(({ kind }) => kinds.test(kind));
}

function messagesOf(found: readonly Difference[]): string {
  return found.map(({ message }) => message).join(" ");
}

function vectorActions(
  { own: { embedding, store } }: CollectionModel,
  differences: readonly Difference[],
): PlanAction[] {
  const embeds = matching(differences, RE_EMBEDS);
  const reindexes = matching(differences, RE_INDEXES);
  const commandsFor = (suffix: string) =>
    store === null
      ? {}
      : { commands: [{ store: store.kind, command: createCommand(store.kind, `${store.name}${suffix}`, embedding) }] };
  if (embeds.length > 0) {
    const note =
      "1. Create a second collection. 2. Embed every document into it. 3. Switch queries and their model in one step. 4. Delete the first.";
    const reason = messagesOf(embeds);
    return [{ action: "re-embed", pointer: "/embedding", reason, note, ...commandsFor("_next") }];
  }
  const actions: PlanAction[] = [];
  if (reindexes.length > 0) {
    const note = "The vectors stay; copy them into a second collection with the new index, then switch.";
    const reason = messagesOf(reindexes);
    actions.push({ action: "reindex", pointer: "/embedding", reason, note, ...commandsFor("_next") });
  }
  const advised = matching(differences, RE_EMBEDDING_ADVISED);
  if (advised.length > 0) {
    const note = "Advised: documents that are not embedded again are found by the old chunks.";
    actions.push({ action: "re-embed", pointer: advised[0]!.reader_pointer ?? "", reason: messagesOf(advised), note });
  }
  if (matching(differences, /^STORE_CHANGED$/).length > 0) {
    const reason = "The collection moves to another store.";
    const note = "Create it there, copy vectors and metadata, then switch queries.";
    actions.push({ action: "reindex", pointer: "/store", reason, note, ...commandsFor("") });
  }
  return actions;
}

function payloadIndexActions({ own: { store, indexes } }: CollectionModel, differences: readonly Difference[]) {
  const changed = matching(differences, /^PAYLOAD_INDEX_(?:ADDED|CHANGED|REMOVED)$/);
  if (changed.length === 0) return [];
  const action: PlanAction = {
    action: "rebuild payload index",
    pointer: "/payload_indexes",
    reason: messagesOf(changed),
  };
  if (store === null) return [action];
  const commands = [...indexes]
    .slice(0, LISTED_COMMANDS)
    .map(([field, type]) => ({ store: store.kind, command: indexCommand(store.kind, store.name, field, type) }));
  return [{ ...action, commands }];
}

function backfillActions(differences: readonly Difference[]): PlanAction[] {
  return differences
    .filter(({ part, kind }) => part?.variance === "in" && kind === "REQUIRED_ATTRIBUTE_ADDED")
    .slice(0, LISTED_BACKFILLS)
    .map(({ reader_pointer, writer_pointer, message }) => ({
      action: "backfill metadata",
      pointer: reader_pointer ?? writer_pointer ?? "",
      reason: message,
    }));
}

const QDRANT_DISTANCES = { cosine: "Cosine", dot: "Dot", euclid: "Euclid", manhattan: "Manhattan" } as const;
const PGVECTOR_OPERATORS = { cosine: "cosine", dot: "ip", euclid: "l2", manhattan: "l1" } as const;
const PINECONE_METRICS = { cosine: "cosine", dot: "dotproduct", euclid: "euclidean", manhattan: "euclidean" } as const;
const VECTORIZE_METRICS = {
  cosine: "cosine",
  dot: "dot-product",
  euclid: "euclidean",
  manhattan: "euclidean",
} as const;

/** The limits of each store, beyond which its own command would be refused. */
const MOST_DIMENSIONS: Readonly<Record<Store, number>> = {
  qdrant: 65_536,
  pgvector: 16_000,
  pinecone: 20_000,
  vectorize: 1_536,
};

function createCommand(store: Store, name: string, { dimensions, distance, datatype }: Embedding): string {
  if (dimensions > MOST_DIMENSIONS[store]) {
    return `${store} takes at most ${MOST_DIMENSIONS[store]} dimensions, not ${dimensions}: shorten the vectors or choose another store.`;
  }
  switch (store) {
    case "qdrant": {
      const vectors = {
        size: dimensions,
        distance: QDRANT_DISTANCES[distance],
        datatype: datatype === "bit" ? "uint8" : datatype,
      };
      return `PUT /collections/${name} ${JSON.stringify({ vectors })}`;
    }
    case "pgvector": {
      const type = datatype === "float16" ? "halfvec" : datatype === "bit" ? "bit" : "vector";
      const table = `"${name}"`;
      const index = dimensions <= (type === "halfvec" ? 4_000 : type === "bit" ? 64_000 : 2_000);
      const operators = type === "bit" ? "bit_hamming_ops" : `${type}_${PGVECTOR_OPERATORS[distance]}_ops`;
      const create = `CREATE TABLE ${table} (id text PRIMARY KEY, embedding ${type}(${dimensions}), metadata jsonb);`;
      return index ? `${create} CREATE INDEX ON ${table} USING hnsw (embedding ${operators});` : create;
    }
    case "pinecone":
      return `POST /indexes ${JSON.stringify({
        name: name.replaceAll(/[^a-z0-9-]/g, "-"),
        schema: {
          fields: { embedding: { type: "dense_vector", dimension: dimensions, metric: PINECONE_METRICS[distance] } },
        },
      })}`;
    case "vectorize":
      return `wrangler vectorize create ${name} --dimensions=${dimensions} --metric=${VECTORIZE_METRICS[distance]}`;
  }
}

function indexCommand(store: Store, name: string, field: string, type: string): string {
  switch (store) {
    case "qdrant":
      return `PUT /collections/${name}/index ${JSON.stringify({ field_name: field, field_schema: type })}`;
    case "pgvector":
      return `CREATE INDEX ON "${name}" ((metadata->>'${field}'));`;
    case "pinecone":
      return `Pinecone indexes the metadata field "${field}" by itself.`;
    case "vectorize": {
      const kind = type === "integer" || type === "float" ? "number" : type === "bool" ? "boolean" : "string";
      return `wrangler vectorize create-metadata-index ${name} --property-name=${field} --type=${kind}`;
    }
  }
}
