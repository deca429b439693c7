/**
 * Parameters that were probably renamed: one removed and one added, with evidence. It is the commonest break of real
 * tools, and the removal and the addition alone do not show it.
 */
import type { Difference } from "../compatibility.ts";
import { type JsonNode, type JsonObject, pointerToken, writeJsonText } from "../json-text.ts";
import type { ToolModel } from "./model.ts";

/** Parameters compared on either side; pairs grow with the square. */
const MAX_COMPARED_PARAMETERS = 100;

export function findRenames(reader: ToolModel, writer: ToolModel): Difference[] {
  const now = parametersOf(reader);
  const before = parametersOf(writer);
  const added = [...now.properties].filter(([name]) => !before.properties.has(name)).slice(0, MAX_COMPARED_PARAMETERS);
  const removed = [...before.properties]
    .filter(([name]) => !now.properties.has(name))
    .slice(0, MAX_COMPARED_PARAMETERS);
  const taken = new Set<string>();
  return removed.flatMap(([name, node]) => {
    const candidates = added
      .filter(([other]) => !taken.has(other))
      .map(([other, replacement]) => ({ other, evidence: evidenceOf(name, node, other, replacement) }))
      .filter(({ evidence }) => evidence.length >= 2)
      .sort((a, b) => b.evidence.length - a.evidence.length);
    const [best] = candidates;
    if (best === undefined) return [];
    taken.add(best.other);
    return [
      {
        kind: "PARAMETER_RENAME_CANDIDATE",
        reader_pointer: `${now.pointer}/properties/${pointerToken(best.other)}`,
        writer_pointer: `${before.pointer}/properties/${pointerToken(name)}`,
        message: `The parameter "${name}" looks renamed to "${best.other}": ${best.evidence.join(", ")}.`,
        severity: "warning",
        fix: `Keep "${name}" beside "${best.other}", both optional, until no call uses it.`,
      } satisfies Difference,
    ];
  });
}

function parametersOf({ parts, root }: ToolModel): { pointer: string; properties: ReadonlyMap<string, JsonNode> } {
  const pointer = parts.find(({ declaration }) => declaration.name === "input")?.pointer ?? "";
  const schema = root.members.get(pointer.slice(1));
  const properties = schema?.type === "object" ? schema.members.get("properties") : undefined;
  return { pointer, properties: properties?.type === "object" ? properties.members : new Map() };
}

function evidenceOf(name: string, node: JsonNode, other: string, replacement: JsonNode): string[] {
  if (node.type !== "object" || replacement.type !== "object") return [];
  const evidence: string[] = [];
  if (isSameMember(node, replacement, "type") && isSameMember(node, replacement, "enum"))
    evidence.push("the same type");
  if (node.members.has("description") && isSameMember(node, replacement, "description")) {
    evidence.push("the same description");
  }
  const shared = sharedWords(name, other);
  if (shared.length > 0) evidence.push(`the word "${shared[0]}" in both names`);
  else if (other.toLowerCase().startsWith(name.toLowerCase()) || name.toLowerCase().startsWith(other.toLowerCase())) {
    evidence.push("one name begins with the other");
  }
  return evidence;
}

function isSameMember(a: JsonObject, b: JsonObject, member: string): boolean {
  const [first, second] = [a.members.get(member), b.members.get(member)];
  if (first === undefined || second === undefined) return first === second;
  return writeJsonText(first) === writeJsonText(second);
}

/** The words of two names in snake, kebab or camel case that both have. */
function sharedWords(a: string, b: string): string[] {
  const words = (name: string) =>
    name
      .replace(/([a-z0-9])([A-Z])/g, "$1 $2")
      .toLowerCase()
      .split(/[^a-z0-9]+/)
      .filter((word) => word.length > 1);
  const second = new Set(words(b));
  return words(a).filter((word) => second.has(word));
}
