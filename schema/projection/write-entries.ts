/** Maps, whose members have no declared names, as arrays of entries. */

import { childLocation, type SchemaLocation } from "../json/model.ts";
import { schemaPointer } from "../json/validate/evaluation.ts";
import type { JsonNode } from "../json-text.ts";
import { type Draft, emptyDraft } from "./draft.ts";
import { arrayNode, booleanNode, objectNode, stringNode } from "./json-nodes.ts";
import type { Place, Rewriter, Written } from "./rewriter.ts";
import { moveToDescription } from "./write-annotations.ts";
import { isPatternTaken, writeAssertions } from "./write-assertions.ts";

const ENTRY_KEY = "key";
const ENTRY_VALUE = "value";

/** A map as an array of its entries. */
export function writeEntries(rewriter: Rewriter, draft: Draft, additional: Draft, place: Place): Written | null {
  const inside: Place = { ...place, depth: place.depth + 2, isOptional: true };
  const value = rewriter.write(additional, inside);
  if (value === null) return null;
  const { profile } = rewriter;
  const moved: string[] = [];
  const key = writeEntryKey(rewriter, draft, inside, moved);
  if (key === null) return null;
  const entry = objectNode([
    ["type", stringNode("object")],
    [
      "properties",
      objectNode([
        [ENTRY_KEY, key.schema],
        [ENTRY_VALUE, value.schema],
      ]),
    ],
    ["required", arrayNode([stringNode(ENTRY_KEY), stringNode(ENTRY_VALUE)])],
  ]);
  if (profile.additionalProperties.value !== "any") entry.members.set("additionalProperties", booleanNode(false));
  const schema = objectNode([
    ["type", stringNode("array")],
    ["items", entry],
  ]);
  const message = `The map is requested as an array of "${ENTRY_KEY}" and "${ENTRY_VALUE}": ${profile.provider} only supports declared members.`;
  rewriter.change("map_as_entries", draft.pointer, "lossless", message, "Declare its members, or make it an array.");
  moved.push(...writeAssertions(rewriter, { ...draft, assertions: entryBounds(draft) }, schema, ["array"]));
  const conditions = draft.conditions.filter(({ keyword }) => keyword !== "propertyNames");
  const assertions = new Map([...draft.assertions].filter(([name, { node }]) => !isEntryBound(name, node)));
  const described = rewriter.describeEncoded({ ...draft, assertions, conditions }, schema, moved);
  const decode = {
    op: "entries" as const,
    key: ENTRY_KEY,
    value: ENTRY_VALUE,
    ...(key.decode ? { decode_key: key.decode } : {}),
    ...(value.decode ? { decode: value.decode } : {}),
  };
  return { schema: described, decode };
}

function writeEntryKey(rewriter: Rewriter, draft: Draft, inside: Place, moved: string[]): Written | null {
  const schema = objectNode([["type", stringNode("string")]]);
  const names = draft.additionalNames;
  if (names !== null) {
    const isTaken =
      rewriter.use("pattern") === "enforced" && isPatternTaken(rewriter.profile.patterns.value, names.pattern);
    if (isTaken) schema.members.set("pattern", stringNode(names.pattern));
    else moveNames(rewriter, names, moved);
  }
  const condition = draft.conditions.find(({ keyword }) => keyword === "propertyNames");
  if (condition === undefined || names !== null) return { schema, decode: null };
  const location = childLocation(rewriter.reader.model, condition.location, condition.node, "propertyNames");
  const key = rewriter.reader.intersect(rewriter.reader.read(location), stringDraft(location));
  return rewriter.write(key, inside);
}

function stringDraft(location: SchemaLocation): Draft {
  return { ...emptyDraft(schemaPointer(location), location), types: new Set(["string"]) };
}

/** Repeated keys make fewer members than entries, so only these bounds carry over. */
function isEntryBound(name: string, node: JsonNode): boolean {
  return name === "maxProperties" || (name === "minProperties" && node.type === "number" && node.value <= 1);
}

function entryBounds({ assertions }: Draft): Draft["assertions"] {
  const bounds = [...assertions].filter(([name, { node }]) => isEntryBound(name, node));
  return new Map(bounds.map(([name, assertion]) => [name === "maxProperties" ? "maxItems" : "minItems", assertion]));
}

/** Describes in words what names must match. */
export function moveNames(
  rewriter: Rewriter,
  { pattern, pointer }: NonNullable<Draft["additionalNames"]>,
  moved: string[],
): void {
  moveToDescription(
    rewriter,
    "patternProperties",
    pointer,
    `Names must match the regular expression ${pattern}`,
    moved,
  );
}
