/** Annotations for humans and models: titles, descriptions, and constraints that can only be expressed in words. */

import { type JsonNode, type JsonObject, writeJsonText } from "../json-text.ts";
import { MAX_MOVED_CHARACTERS } from "./bounds.ts";
import type { ProjectionChangeKind } from "./changes.ts";
import { canCopy, copyCondition } from "./copy-condition.ts";
import type { Condition, Draft } from "./draft.ts";
import { objectNode, stringNode } from "./json-nodes.ts";
import type { Rewriter, Written } from "./rewriter.ts";

/** Adds the annotations of a draft, its conditions, and the `moved` constraints in words. */
export function addAnnotations(
  rewriter: Rewriter,
  draft: Draft,
  schema: JsonObject,
  moved: readonly string[],
): Written {
  annotate(rewriter, draft, schema, [...moved, ...writeConditions(rewriter, draft, schema)]);
  return { schema, decode: null };
}

export function annotate(rewriter: Rewriter, draft: Draft, schema: JsonObject, moved: readonly string[]): void {
  const { profile } = rewriter;
  const kept = profile.annotations.value;
  const words = [...moved];
  const annotations: [string, JsonNode][] = [];
  for (const [name, node] of draft.annotations) {
    if (name === "description") continue;
    const isKept = kept.includes(name) || kept.includes("*");
    // The result is 2020-12, regardless of the schema's dialect.
    if (name === "$schema" && isKept) continue;
    if (isKept) annotations.push([name, node]);
    else reportAnnotation(rewriter, draft, name, node, words);
  }
  const given = draft.annotations.get("description");
  const description = [given?.type === "string" ? given.value : "", words.length > 0 ? `${words.join(". ")}.` : ""]
    .filter((text) => text !== "")
    .join("\n\n");
  const before = [...schema.members];
  schema.members.clear();
  const type = before.find(([name]) => name === "type");
  if (type) schema.members.set(...type);
  if (description !== "") schema.members.set("description", stringNode(description));
  for (const [name, node] of [...annotations, ...before]) schema.members.set(name, node);
}

/** Annotations that inform a model are kept in words, others are dropped. */
const TELLING: Readonly<Record<string, string>> = { default: "Default", examples: "Examples" };

function reportAnnotation(rewriter: Rewriter, draft: Draft, name: string, node: JsonNode, words: string[]): void {
  const pointer = `${draft.pointer}/${name}`;
  const telling = Object.hasOwn(TELLING, name) ? TELLING[name] : undefined;
  const text = writeJsonText(node);
  const { provider } = rewriter.profile;
  if (telling !== undefined && text.length <= MAX_MOVED_CHARACTERS) {
    words.push(`${telling}: ${text}`);
    const message = `"${name}" is moved to the description: ${provider} does not support the keyword.`;
    rewriter.change(
      "moved_to_description",
      pointer,
      "lossless",
      message,
      `Write it in the description instead of "${name}".`,
    );
  } else {
    const message = `"${name}" is omitted: ${provider} does not support the keyword, and it constrains nothing.`;
    rewriter.change("dropped", pointer, "lossless", message, `Leave out "${name}".`);
  }
}

/** Describes in words what the provider does not enforce. */
export function moveToDescription(
  rewriter: Rewriter,
  keyword: string,
  pointer: string,
  text: string,
  moved: string[],
): void {
  const { provider } = rewriter.profile;
  const why =
    rewriter.use(keyword) === "ignored" ? "accepts it without enforcing it" : "does not support it in this form";
  if (text.length <= MAX_MOVED_CHARACTERS) {
    moved.push(text);
    const message = `"${keyword}" is moved to the description: ${provider} ${why}.`;
    rewriter.change(
      "moved_to_description",
      pointer,
      "checked_after",
      message,
      `Remove "${keyword}", or check it after decoding.`,
    );
  } else {
    const message = `"${keyword}" is omitted because it is too long for a description: ${provider} ${why}.`;
    rewriter.change("dropped", pointer, "checked_after", message, `Remove "${keyword}", or check it after decoding.`);
  }
}

/** Writes conditions whose keyword the profile enforces; returns the others in words. */
function writeConditions(rewriter: Rewriter, draft: Draft, schema: JsonObject): string[] {
  const moved: string[] = [];
  for (const condition of draft.conditions) {
    const { keyword, pointer } = condition;
    if (isImplied(rewriter, draft, condition)) continue;
    const isFree = !schema.members.has(keyword) && canCopy(condition, draft) && canStand(rewriter);
    if (rewriter.use(keyword) === "enforced" && isFree) copyCondition(rewriter, condition, schema);
    else moveToDescription(rewriter, keyword, pointer, inWords(rewriter, condition), moved);
  }
  return moved;
}

export function inWords(rewriter: Rewriter, { keyword, node, pointer }: Condition): string {
  const text = writeJsonText(node);
  rewriter.meter.combine(pointer, text.length * WRITING_STEPS);
  return `Must satisfy ${keyword}: ${text}`;
}

/** Steps of combining that take as long as writing one character of a condition, which every alternative may repeat. */
const WRITING_STEPS = 0.2;

/** All conditions in words, for a schema of encoded values. */
export function describeConditions(rewriter: Rewriter, draft: Draft, moved: string[]): void {
  for (const condition of draft.conditions) {
    if (isImplied(rewriter, draft, condition)) continue;
    const { keyword, pointer } = condition;
    moveToDescription(rewriter, keyword, pointer, inWords(rewriter, condition), moved);
  }
}

/** A condition on the registered values would be wrong for their encoding. */
function canStand({ profile }: Rewriter): boolean {
  return profile.optionalProperties.value && profile.additionalProperties.value === "any";
}

/** Objects that are written closed contain only evaluated members. */
function isImplied({ profile }: Rewriter, { locations }: Draft, { keyword, node, location }: Condition): boolean {
  return (
    keyword === "unevaluatedProperties" &&
    // In one part of an allOf, it would forbid what the other parts declare.
    location === locations[0] &&
    profile.additionalProperties.value !== "any" &&
    node.type === "boolean" &&
    !node.value
  );
}

/** A value as JSON in a string, if its schema cannot be expressed. */
export function writeInString(
  rewriter: Rewriter,
  draft: Draft,
  kind: ProjectionChangeKind,
  message: string,
  fix: string,
): Written {
  const why = `${message}: ${rewriter.profile.provider} cannot express it.`;
  rewriter.change(kind, draft.pointer, "checked_after", why, fix);
  const schema = objectNode([["type", stringNode("string")]]);
  const what = draft.types === null ? "a JSON value" : `a JSON ${[...draft.types].join(" or ")}`;
  const conditions = draft.conditions.map((condition) => inWords(rewriter, condition));
  const shown = conditions.filter((text) => text.length <= MAX_MOVED_CHARACTERS);
  annotate(rewriter, draft, schema, [`The text of ${what}`, ...shown]);
  return { schema, decode: { op: "json_text", ...(draft.types === null ? {} : { types: [...draft.types] }) } };
}
