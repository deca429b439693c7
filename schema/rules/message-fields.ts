/** A message's primitive fields with the names, types and tags of its schema, for rules. */

import type { SchemaField, SchemaFormat } from "../format.ts";
import { ok, type Result, refuse } from "../result.ts";
import type { DataContractMetadata } from "./data-contract.ts";

/** Fields per message that rules visit. */
const MAX_MESSAGE_FIELDS = 100_000;
const MAX_MESSAGE_DEPTH = 64;

export type MessageFields = {
  /** By path from the root: `user.emails[].address`. */
  types: ReadonlyMap<string, string>;
  /** The name of the message's type. */
  rootName: string;
  /** By full name, as spelled in the schema's text. */
  inline: ReadonlyMap<string, readonly string[]>;
  /** Patterns over full names, from the metadata. */
  patterns: readonly { pattern: readonly string[]; tags: readonly string[] }[];
};

type MessageField = {
  value: unknown;
  fullName: string;
  name: string;
  typeName: string;
  tags: readonly string[];
  /** The object that contains the field. */
  containing: unknown;
};

export function messageFields(
  format: SchemaFormat<unknown>,
  model: unknown,
  text: string,
  metadata: DataContractMetadata | null,
): MessageFields {
  const types = new Map(format.fields(model).map(({ path, type }: SchemaField) => [path, type]));
  let rootName = "";
  const inline = new Map<string, readonly string[]>();
  format.editTags?.(text, ({ entityPath, entityType, fullName = entityPath }, tags) => {
    if (rootName === "" && entityType === "sr_record") rootName = fullName;
    if (tags.length > 0) inline.set(fullName, tags);
    return tags;
  });
  return {
    types,
    rootName,
    inline,
    patterns: Object.entries(metadata?.tags ?? {}).map(([pattern, tags]) => ({ pattern: pattern.split("."), tags })),
  };
}

type Changed = Result<unknown, string>;

/** A copy of the message with every primitive field transformed. */
export function transformFields(
  message: unknown,
  fields: MessageFields,
  transform: (field: MessageField) => Changed,
): Changed {
  let visited = 0;
  const walk = (
    value: unknown,
    path: string,
    typeName: string,
    field: Omit<MessageField, "value" | "typeName" | "tags"> | null,
    depth: number,
  ): Changed => {
    if (depth > MAX_MESSAGE_DEPTH) return refuse(`The message nests deeper than ${MAX_MESSAGE_DEPTH}.`);
    if (value === null || value === undefined) return ok(value);
    if (Array.isArray(value)) {
      const items: unknown[] = [];
      for (const item of value) {
        const changed = walk(item, `${path}[]`, elementType(fields, `${path}[]`, typeName), field, depth + 1);
        if (!changed.ok) return changed;
        items.push(changed.value);
      }
      return ok(items);
    }
    if (typeof value === "object") {
      const members: [string, unknown][] = [];
      for (const [name, member] of Object.entries(value)) {
        const inner = path === "" ? name : `${path}.${name}`;
        const declared = fields.types.get(inner);
        const mapValue = declared === undefined ? fields.types.get(`${path}{}`) : undefined;
        const fullName = `${typeName}.${name}`;
        const type = declared ?? mapValue ?? "";
        const place = mapValue === undefined ? inner : `${path}{}`;
        const changed = walk(member, place, type, { fullName, name, containing: value }, depth + 1);
        if (!changed.ok) return changed;
        members.push([name, changed.value]);
      }
      return ok(Object.fromEntries(members));
    }
    if (field === null) return ok(value);
    visited += 1;
    if (visited > MAX_MESSAGE_FIELDS) return refuse(`The message has more than ${MAX_MESSAGE_FIELDS} fields.`);
    return transform({
      ...field,
      value,
      typeName: primitiveName(typeName, value),
      tags: collectTags(fields, field.fullName),
    });
  };
  return walk(message, "", fields.rootName, null, 0);
}

function elementType({ types }: MessageFields, path: string, listType: string): string {
  return types.get(path) ?? listType.replace(/^array<(.*)>$|^repeated (.*)$|^(.*)\[\]$/, "$1$2$3");
}

const PRIMITIVES: readonly (readonly [RegExp, string])[] = [
  [/\b(?:string)\b/, "STRING"],
  [/\bbytes\b/, "BYTES"],
  [/\b(?:u?int64|sint64|s?fixed64|long)\b/, "LONG"],
  [/\b(?:u?int32|sint32|s?fixed32|int|integer)\b/, "INT"],
  [/\bfloat\b/, "FLOAT"],
  [/\b(?:double|number)\b/, "DOUBLE"],
  [/\bbool(?:ean)?\b/, "BOOLEAN"],
];

/** Confluent's name of a primitive type: the schema's, if the value fits it. */
function primitiveName(type: string, value: unknown): string {
  if (typeof value === "boolean") return "BOOLEAN";
  const named = PRIMITIVES.find(([word]) => word.test(type))?.[1];
  if (typeof value === "string") return named === "BYTES" ? "BYTES" : "STRING";
  return named && named !== "STRING" && named !== "BYTES" && named !== "BOOLEAN" ? named : "DOUBLE";
}

function collectTags({ inline, patterns }: MessageFields, fullName: string): string[] {
  const parts = fullName.split(".");
  const matching = patterns.filter(({ pattern }) => matchesParts(pattern, parts)).flatMap(({ tags }) => tags);
  return [...new Set([...(inline.get(fullName) ?? []), ...matching])];
}

/** `*` matches one part of a name, `**` any number. Linear: backtracks only to the last `**`. */
function matchesParts(pattern: readonly string[], parts: readonly string[]): boolean {
  let at = 0;
  let inPattern = 0;
  let retryPattern = -1;
  let retryAt = 0;
  while (at < parts.length) {
    const part = pattern[inPattern];
    if (part === "**") {
      retryPattern = inPattern;
      retryAt = at;
      inPattern += 1;
    } else if (part !== undefined && (part === "*" || part === parts[at])) {
      inPattern += 1;
      at += 1;
    } else if (retryPattern >= 0) {
      inPattern = retryPattern + 1;
      retryAt += 1;
      at = retryAt;
    } else return false;
  }
  while (pattern[inPattern] === "**") inPattern += 1;
  return inPattern === pattern.length;
}
