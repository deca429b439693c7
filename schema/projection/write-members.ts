/** The members of an object: their names, which of them may be absent, and how absence is represented. */

import { childLocation, schemasIn } from "../json/model.ts";
import { SUBSCHEMA_KEYWORDS } from "../json/parse/dialects.ts";
import type { JsonNode } from "../json-text.ts";
import type { MemberStep } from "./decoder.ts";
import { type Draft, emptyDraft } from "./draft.ts";
import { matchesName } from "./intersect.ts";
import { arrayNode, booleanNode, stringNode } from "./json-nodes.ts";
import { withNull } from "./nullable.ts";
import type { AbsenceEncoding, Place, Rewriter, Written } from "./rewriter.ts";

export type Members = {
  properties: Map<string, JsonNode>;
  required: string[];
  steps: MemberStep[];
  isReordered: boolean;
};

/** In the order written; names that are only required come last. */
export function memberNames(rewriter: Rewriter, draft: Draft): string[] {
  const conditional = conditionalMembers(rewriter, draft).keys();
  return [...new Set([...(draft.properties?.keys() ?? []), ...conditional, ...draft.required])];
}

export function writeMembers(rewriter: Rewriter, draft: Draft, names: readonly string[], place: Place): Members | null {
  const { profile } = rewriter;
  const members: Members = { properties: new Map(), required: [], steps: [], isReordered: false };
  const given = givenNames(rewriter, draft, names);
  const undeclared = undeclaredMembers(rewriter, draft);
  let sawOptional = false;
  for (const name of names) {
    const isRequired = draft.required.has(name);
    const child = draft.properties?.get(name) ?? undeclared(name);
    if (isRequired && standsUnnamed(rewriter, draft, name)) {
      if (child.never) return null;
      members.required.push(name);
      continue;
    }
    const written = rewriter.write(child, {
      ...place,
      depth: place.depth + 1,
      isOptional: place.isOptional || !isRequired,
    });
    if (written === null) {
      if (isRequired) return null;
      removeMember(rewriter, draft, child, name, members);
      continue;
    }
    const step: { -readonly [K in keyof MemberStep]: MemberStep[K] } = { given: given.get(name)!, name };
    let { schema, decode } = written;
    if (isRequired) {
      members.required.push(step.given);
      if (sawOptional && profile.outputOrder.value === "required_first") members.isReordered = true;
    } else {
      const encoding = profile.optionalProperties.value ? rewriter.options.absences.get(child.pointer) : "null";
      if (encoding === undefined) {
        sawOptional = true;
        rewriter.omittable.push({ draft: child, name });
      } else {
        const encoded = writeAbsence(rewriter, child, name, written, encoding);
        schema = encoded.schema;
        decode = encoded.decode;
        if (encoded.absent) step.absent = encoded.absent;
        else step.nullable = true;
        members.required.push(step.given);
      }
    }
    if (decode !== null) step.decode = decode;
    members.properties.set(step.given, schema);
    members.steps.push(step);
  }
  return members;
}

/**
 * A property that allows no value: forbidden if that can be expressed, else omitted, which forbids it in a closed
 * object.
 */
function removeMember(rewriter: Rewriter, draft: Draft, child: Draft, name: string, members: Members): void {
  const { profile } = rewriter;
  const isOpen = profile.additionalProperties.value === "any" && draft.additional !== false;
  if (isOpen && profile.otherKeywords.value === "enforced") {
    members.properties.set(name, booleanNode(false));
    return;
  }
  const message = `"${name}" is omitted because the schema allows no value for it.`;
  // Prevents entries from setting a member with the same name.
  members.steps.push({ given: name, name });
  rewriter.change(
    "removed_property",
    child.pointer,
    isOpen ? "checked_after" : "lossless",
    message,
    `Remove "${name}".`,
  );
}

/**
 * If any schema is accepted, a name that is only required needs no schema, and one might change what counts as
 * evaluated.
 */
function standsUnnamed({ profile }: Rewriter, { properties }: Draft, name: string): boolean {
  const takesAny = profile.additionalProperties.value === "any" && profile.otherKeywords.value === "enforced";
  return takesAny && !properties?.has(name);
}

/** A name without a schema is subject to the conditions that mention it, else to the schema of additional members. */
function undeclaredMembers(rewriter: Rewriter, draft: Draft): (name: string) => Draft {
  const { additional, additionalNames } = draft;
  const conditional = conditionalMembers(rewriter, draft);
  const isClosed = rewriter.profile.additionalProperties.value !== "any";
  const isUnevaluated = draft.conditions.some(
    ({ keyword, node }) => keyword === "unevaluatedProperties" && node.type === "boolean" && !node.value,
  );
  return (name) => {
    const named = conditional.get(name);
    if (named !== undefined) return named;
    const isOutside = additionalNames !== null && !matchesName(rewriter.meter, additionalNames, name);
    if (typeof additional === "object" && additional !== null && !isOutside) return additional;
    const isForbidden = additional === false || (isClosed && isUnevaluated) || (isOutside && additionalNames.isClosed);
    return { ...emptyDraft(draft.pointer), never: isForbidden };
  };
}

/** Keywords whose schemas may mention members that the schema itself does not declare. */
const NAMING_CONDITIONS = ["then", "else", "dependentSchemas", "dependencies"];

/** Members that only conditions mention. A closed object must declare them as well, or they could not be returned. */
function conditionalMembers(rewriter: Rewriter, draft: Draft): ReadonlyMap<string, Draft> {
  const { profile, reader } = rewriter;
  const members = new Map<string, Draft>();
  if (profile.additionalProperties.value === "any" || (draft.additional !== null && draft.additional !== true))
    return members;
  for (const { keyword, node, location } of draft.conditions) {
    if (!NAMING_CONDITIONS.includes(keyword)) continue;
    const shape = SUBSCHEMA_KEYWORDS[location.resource.dialect].get(keyword);
    if (shape === undefined) continue;
    for (const [key, schema] of schemasIn(shape, node)) {
      const tokens = key === null ? [keyword] : [keyword, key];
      const read = reader.resolve(reader.read(childLocation(reader.model, location, schema, ...tokens)));
      for (const [name, member] of read?.properties ?? []) {
        const known = members.get(name);
        members.set(name, known === undefined ? unbound(member) : eitherOf(known, unbound(member)));
      }
    }
  }
  for (const name of draft.properties?.keys() ?? []) members.delete(name);
  return members;
}

/** If the condition does not hold, any value is allowed; the condition itself is checked afterwards. */
function unbound(member: Draft): Draft {
  return { ...member, locations: [] };
}

function eitherOf(a: Draft, b: Draft): Draft {
  const union = { keyword: "anyOf" as const, options: [a, b], pointer: a.pointer };
  return { ...emptyDraft(a.pointer), unions: [union] };
}

/** Names in the provider's form; changed ones stay unique. */
function givenNames(rewriter: Rewriter, draft: Draft, names: readonly string[]): Map<string, string> {
  const limit = rewriter.profile.propertyNames;
  if (limit === undefined) return new Map(names.map((name) => [name, name]));
  const pattern = new RegExp(limit.value, "u");
  const used = new Set(names.filter((name) => pattern.test(name)));
  /** The last number added to each. */
  const counts = new Map<string, number>();
  return new Map(
    names.map((name) => {
      if (pattern.test(name)) return [name, name];
      const base = name.replace(/[^A-Za-z0-9_.-]+/g, "_").slice(0, MAX_GIVEN_NAME) || "member";
      let given = base;
      let count = counts.get(base) ?? 1;
      while (used.has(given)) {
        count += 1;
        given = `${base}_${count}`;
      }
      counts.set(base, count);
      used.add(given);
      const pointer = draft.properties?.get(name)?.pointer ?? draft.pointer;
      const message = `"${name}" is requested as "${given}": ${rewriter.profile.provider} requires names that match ${limit.value}.`;
      rewriter.change("renamed", pointer, "lossless", message, `Give it a name that matches ${limit.value}.`);
      return [name, given];
    }),
  );
}

/** Leaves room for a number that distinguishes equal names. */
const MAX_GIVEN_NAME = 58;

type Absence = Written & { absent?: { value: string | null } };

function writeAbsence(
  rewriter: Rewriter,
  child: Draft,
  name: string,
  written: Written,
  encoding: AbsenceEncoding,
): Absence {
  const { provider } = rewriter.profile;
  if (encoding === "sentinel") {
    const sentinel = withSentinel(written);
    if (sentinel !== null) {
      rewriter.change(
        "rewritten_optional",
        child.pointer,
        "lossless",
        `"${name}" is required, and "${ABSENT}" represents its absence: the request has too many optional properties for ${provider}.`,
        `List "${name}" in "required" if possible.`,
      );
      return sentinel;
    }
  }
  const isNullable = child.locations.length > 0 ? rewriter.admits(child, null) : true;
  if (!isNullable) {
    rewriter.change(
      "rewritten_optional",
      child.pointer,
      "lossless",
      `"${name}" is required, and null represents its absence: ${provider} requires every property.`,
      `List "${name}" in "required" and make it nullable.`,
    );
    return { ...withNull(rewriter, written), absent: { value: null } };
  }
  // If the default of an absent member is null, absence and null mean the same.
  const isSame = child.annotations.get("default")?.type === "null";
  const message = isSame
    ? `"${name}" is required and may be null, which is its default: ${provider} requires every property.`
    : `"${name}" is required and may be null, so absence and null can no longer be distinguished: ${provider} requires every property.`;
  rewriter.change(
    "rewritten_optional",
    child.pointer,
    isSame ? "lossless" : "lost",
    message,
    `List "${name}" in "required".`,
  );
  return written;
}

/** The value that represents absence among enumerated strings. */
const ABSENT = "(absent)";

function withSentinel({ schema, decode }: Written): Absence | null {
  const values = schema.members.get("enum");
  if (schema.members.get("type")?.type === "string" && values?.type === "array") {
    if (values.items.some((item) => item.type === "string" && item.value.toLowerCase() === ABSENT)) return null;
    values.items.push(stringNode(ABSENT));
    return { schema, decode, absent: { value: ABSENT } };
  }
  const type = schema.members.get("type");
  if (type?.type !== "string" || type.value !== "boolean") return null;
  schema.members.set("type", stringNode("string"));
  schema.members.set("enum", arrayNode(["true", "false", ABSENT].map(stringNode)));
  const pairs = [true, false].map((value) => ({ given: String(value), means: value }));
  return { schema, decode: { op: "values", pairs, ignore_case: true }, absent: { value: ABSENT } };
}
