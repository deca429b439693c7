/** The JSON Schema of a collection's text. */
import { DISTANCES, STORES, VECTOR_DATATYPES } from "./model.ts";

/** Qdrant accepts the widest vectors of all stores. */
export const MAX_DIMENSIONS = 65_536;
export const MAX_PAYLOAD_INDEXES = 200;

const TEXT = { type: "string", minLength: 1, maxLength: 1024 };
const SCHEMA = { type: ["object", "boolean"] };

export const COLLECTION_SHAPE = {
  type: "object",
  required: ["embedding"],
  additionalProperties: false,
  patternProperties: { "^x-": true },
  properties: {
    description: { type: "string" },
    document: SCHEMA,
    chunk: SCHEMA,
    embedding: {
      type: "object",
      required: ["model", "dimensions", "distance"],
      additionalProperties: false,
      properties: {
        model: TEXT,
        revision: TEXT,
        same_as: { type: "array", items: TEXT, maxItems: 50 },
        provider: TEXT,
        host: TEXT,
        path: TEXT,
        dimensions: { type: "integer", minimum: 1, maximum: MAX_DIMENSIONS },
        distance: { enum: DISTANCES },
        normalised: { type: "boolean" },
        datatype: { enum: VECTOR_DATATYPES },
        max_tokens: { type: "integer", minimum: 1 },
        prefix: {
          type: "object",
          additionalProperties: false,
          properties: { query: { type: "string" }, document: { type: "string" } },
        },
      },
    },
    splitter: { type: "object" },
    embed_template: { type: "string" },
    store: {
      type: "object",
      required: ["kind", "name"],
      additionalProperties: false,
      properties: { kind: { enum: STORES }, name: { type: "string", pattern: "^[A-Za-z0-9_.-]{1,255}$" } },
    },
    payload_indexes: {
      type: "array",
      maxItems: MAX_PAYLOAD_INDEXES,
      items: {
        type: "object",
        required: ["field", "type"],
        additionalProperties: false,
        properties: {
          field: { type: "string", pattern: "^[A-Za-z0-9_.-]{1,255}$" },
          type: { enum: ["keyword", "integer", "float", "bool", "geo", "datetime", "text", "uuid"] },
        },
      },
    },
  },
} as const;
