/** References: kept as definitions, inlined, or, if recursion is not supported, unrolled a few levels. */

import { type Draft, emptyDraft } from "./draft.ts";
import { arrayNode, objectNode, stringNode } from "./json-nodes.ts";
import { withAnnotations } from "./read-draft.ts";
import type { Place, Rewriter, Written } from "./rewriter.ts";
import { annotate, inWords, moveToDescription, writeInString } from "./write-annotations.ts";

export function writeReference(rewriter: Rewriter, draft: Draft, place: Place): Written | null {
  const { target } = draft.reference!;
  const { references } = rewriter.profile;
  const isRecursive = rewriter.isRecursive(target);
  const { local, recursion, siblings } = references.value;
  const keepsRecursion = recursion === "kept" || (recursion === "optional_only" && place.isOptional);
  const standsAlone = draft.annotations.size === 0 && draft.conditions.length === 0;
  const isKept = local && (isRecursive ? keepsRecursion : standsAlone || siblings !== "none");
  return isKept ? writeKept(rewriter, draft, standsAlone) : writeInline(rewriter, draft, place, isRecursive);
}

function writeKept(rewriter: Rewriter, draft: Draft, standsAlone: boolean): Written | null {
  const { target, text, pointer } = draft.reference!;
  const { forms, siblings } = rewriter.profile.references.value;
  if (!forms.some((form) => isOfForm(text, form))) {
    const message = `The reference now points to a definition in the same schema: ${rewriter.profile.provider} does not follow others.`;
    rewriter.change("hoisted_ref", pointer, "lossless", message, 'Refer to "#/$defs/…" in the same document.');
  }
  const definition = rewriter.definition(target);
  if (definition.isWritten && definition.schema === null) return null;
  const reference = objectNode([["$ref", stringNode(`#/$defs/${definition.name}`)]]);
  const decode = { op: "definition" as const, name: definition.name };
  if (standsAlone) return { schema: reference, decode };
  const moved: string[] = [];
  for (const condition of draft.conditions) {
    moveToDescription(rewriter, condition.keyword, condition.pointer, inWords(rewriter, condition), moved);
  }
  if (siblings !== "none") {
    annotate(rewriter, draft, reference, moved);
    return { schema: reference, decode };
  }
  const message = `The siblings of "$ref" are moved around it: ${rewriter.profile.provider} does not allow siblings of "$ref".`;
  rewriter.change("respelled", pointer, "lossless", message, 'Remove the siblings of "$ref".');
  const schema = objectNode([["anyOf", arrayNode([reference])]]);
  annotate(rewriter, draft, schema, moved);
  return { schema, decode };
}

function isOfForm(text: string, form: string): boolean {
  if (form === "#*") return text.startsWith("#");
  return form.endsWith("/") ? text.startsWith(form) && !text.slice(form.length).includes("/") : text === form;
}

function writeInline(rewriter: Rewriter, draft: Draft, place: Place, isRecursive: boolean): Written | null {
  const { target, pointer } = draft.reference!;
  const { profile, options } = rewriter;
  const level = place.unrolled.get(target.node) ?? 0;
  if (isRecursive) {
    const levels = options.maxUnrolledLevels;
    if (level >= levels) {
      return writeInString(
        rewriter,
        draft,
        "unrolled_recursion",
        `After ${levels} levels a recursive schema is requested as JSON in a string`,
        RECURSION_FIX,
      );
    }
  } else {
    const message = profile.references.value.local
      ? `The reference is replaced by its target: ${profile.provider} does not allow siblings of "$ref".`
      : `The reference is replaced by its target: ${profile.provider} does not follow references.`;
    rewriter.change(
      "inlined_ref",
      pointer,
      "lossless",
      message,
      profile.references.value.local ? 'Remove the siblings of "$ref".' : "Inline the schema.",
    );
  }
  const resolved = rewriter.reader.resolve({ ...draft, annotations: new Map() }) ?? emptyDraft(draft.pointer, target);
  const unrolled = new Map(place.unrolled).set(target.node, level + 1);
  const inner = { ...withAnnotations(resolved, draft), conditions: [...resolved.conditions, ...draft.conditions] };
  return rewriter.write(inner, { ...place, unrolled });
}

const RECURSION_FIX = "Limit the depth: declare a schema per level instead of recursing.";
