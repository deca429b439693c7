/** Adds null to the values of a finished schema. */
import type { JsonObject } from "../json-text.ts";
import { arrayNode, NULL_NODE, objectNode, stringNode } from "./json-nodes.ts";
import type { Rewriter, Written } from "./rewriter.ts";

/** The schema that also allows null. */
export function withNull(rewriter: Rewriter, written: Written): Written {
  const { members } = written.schema;
  const type = members.get("type");
  const alternatives = members.get("anyOf");
  const values = members.get("enum");
  if (members.size === 0) return written;
  if (type?.type === "string" && rewriter.profile.typeArrays.value !== "none" && !CONTAINERS.has(type.value)) {
    const single = members.get("const");
    members.set("type", arrayNode([type, stringNode("null")]));
    if (values?.type === "array") members.set("enum", arrayNode([...values.items, NULL_NODE]));
    if (single !== undefined) {
      members.delete("const");
      members.set("enum", arrayNode([single, NULL_NODE]));
    }
    return written;
  }
  if (alternatives?.type === "array" && members.size === (members.has("description") ? 2 : 1)) {
    alternatives.items.push(nullSchema());
    return written;
  }
  const description = members.get("description");
  members.delete("description");
  const schema = objectNode(description === undefined ? [] : [["description", description]]);
  schema.members.set("anyOf", arrayNode([written.schema, nullSchema()]));
  return { schema, decode: written.decode };
}

const CONTAINERS: ReadonlySet<string> = new Set(["array", "object"]);

function nullSchema(): JsonObject {
  return objectNode([["type", stringNode("null")]]);
}
