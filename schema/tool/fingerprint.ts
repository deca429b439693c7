/**
 * The fingerprint of a tool: SHA-256 over the RFC 8785 form of everything that a model or its user sees. Two tools with
 * the same fingerprint are the same tool, even if their descriptions differ.
 */
import { sha256Hex } from "../content-hash.ts";
import type { Hashes } from "../hashes.ts";
import { compareCodeUnits, type JsonNode, type JsonObject } from "../json-text.ts";
import { INPUT_NAMES, OUTPUT_NAMES } from "./model.ts";

const SEEN: readonly (readonly string[])[] = [
  ["name"],
  ["title"],
  ["description"],
  INPUT_NAMES,
  OUTPUT_NAMES,
  ["annotations"],
];

export type ToolFingerprint = {
  fingerprint: string;
  /** The same without the name: equal for a tool that was only renamed. */
  nameless: string;
};

export function fingerprintTool(root: JsonObject, hashes?: Hashes): ToolFingerprint {
  const members = SEEN.flatMap((names) => {
    const written = names.find((name) => root.members.has(name));
    // MCP's spelling is hashed, even if the text uses another one.
    return written === undefined ? [] : [[names.at(-1)!, root.members.get(written)!] as const];
  });
  const of = (chosen: readonly (readonly [string, JsonNode])[]) =>
    `sha256:${sha256Hex(jcs({ type: "object", start: 0, members: new Map(chosen) }), hashes)}`;
  return { fingerprint: of(members), nameless: of(members.filter(([name]) => name !== "name")) };
}

/** RFC 8785: keys by UTF-16 code units, numbers and strings as ECMAScript writes them. */
function jcs(node: JsonNode): string {
  switch (node.type) {
    case "object": {
      const sorted = [...node.members].sort(([a], [b]) => compareCodeUnits(a, b));
      return `{${sorted.map(([key, value]) => `${JSON.stringify(key)}:${jcs(value)}`).join(",")}}`;
    }
    case "array":
      return `[${node.items.map(jcs).join(",")}]`;
    case "null":
      return "null";
    default:
      return JSON.stringify(node.value);
  }
}
