/** Writes finished alternatives as one schema, and how the decoder selects the matching one. */
import type { JsonObject } from "../json-text.ts";
import type { BranchStep, DecodeStep } from "./decoder.ts";
import type { Draft, Union } from "./draft.ts";
import { arrayNode, objectNode } from "./json-nodes.ts";
import type { Rewriter, Written } from "./rewriter.ts";
import { annotate } from "./write-annotations.ts";

type Alternative = { readonly draft: Draft; readonly written: Written };

/** The remaining alternatives as one schema, with the annotations of the original. */
export function combineAlternatives(
  rewriter: Rewriter,
  draft: Draft,
  alternatives: readonly Alternative[],
  keyword: Union["keyword"],
): Written | null {
  if (alternatives.length === 0) return null;
  const outer: Draft = { ...draft, conditions: [] };
  if (alternatives.length === 1) {
    const [{ written }] = alternatives as [Alternative];
    if (draft.annotations.size === 0) return written;
    if (canCarry(written.schema)) {
      annotate(rewriter, merged(outer, written.schema), written.schema, []);
      return written;
    }
  }
  const schema = objectNode([[keyword, arrayNode(alternatives.map(({ written }) => written.schema))]]);
  annotate(rewriter, outer, schema, []);
  return { schema, decode: chosen(rewriter, alternatives) };
}

/** A reference may not have annotations next to it. */
function canCarry(schema: JsonObject): boolean {
  return !schema.members.has("$ref");
}

function merged(outer: Draft, schema: JsonObject): Draft {
  const description = schema.members.get("description");
  schema.members.delete("description");
  if (description === undefined || outer.annotations.has("description")) return outer;
  return { ...outer, annotations: new Map([...outer.annotations, ["description", description]]) };
}

function chosen(rewriter: Rewriter, alternatives: readonly Alternative[]): DecodeStep | null {
  const decoding = alternatives.filter(({ written }) => written.decode !== null);
  if (decoding.length === 0) return null;
  const [only] = decoding;
  const standsApart = apartFrom(alternatives);
  if (decoding.length === 1 && standsApart(only!)) return only!.written.decode;
  reportAmbiguity(rewriter, alternatives, standsApart);
  // Encoded values come first, because a string with arbitrary content would match before them.
  const ordered = [...alternatives].sort((x, y) => Number(changesForm(y)) - Number(changesForm(x)));
  const branches: BranchStep[] = ordered.map(({ draft, written }) =>
    rewriter.branch(written.schema, draft, written.decode),
  );
  return { op: "choose", branches };
}

const OTHER_FORMS: ReadonlySet<string> = new Set(["tuple", "entries", "json_text"]);

/** Whether the schema's values are represented by values of another JSON type. */
function changesForm({ written: { decode } }: Alternative): boolean {
  if (decode === null) return false;
  if (decode.op === "values") return decode.pairs.some(({ means }) => typeof means !== "string");
  return OTHER_FORMS.has(decode.op);
}

/** Two alternatives that became indistinguishable once one was encoded. */
function reportAmbiguity(
  rewriter: Rewriter,
  alternatives: readonly Alternative[],
  standsApart: (one: Alternative) => boolean,
): void {
  for (const one of alternatives) {
    if (!changesForm(one) || standsApart(one)) continue;
    const message = `An answer of this form may belong to another alternative, which can then no longer be returned: ${rewriter.profile.provider} cannot express it separately.`;
    rewriter.change(
      "ambiguous_form",
      one.draft.pointer,
      "lost",
      message,
      "Distinguish the alternatives by a constant member.",
    );
  }
}

/** Steps leave values of other types unchanged, so a branch whose types are unique needs no choice. */
function apartFrom(all: readonly Alternative[]): (one: Alternative) => boolean {
  const counts = new Map<string, number>();
  let untyped = 0;
  for (const { written } of all) {
    const types = writtenTypes(written.schema);
    if (types === undefined) untyped += 1;
    for (const type of types ?? []) counts.set(type, (counts.get(type) ?? 0) + 1);
  }
  return ({ written }) => {
    const types = writtenTypes(written.schema);
    return types !== undefined && untyped === 0 && [...types].every((type) => counts.get(type) === 1);
  };
}

function writtenTypes(schema: JsonObject): ReadonlySet<string> | undefined {
  const type = schema.members.get("type");
  const items = type?.type === "array" ? type.items : [type];
  const names = items.flatMap((item) =>
    item?.type === "string" ? [item.value === "integer" ? "number" : item.value] : [],
  );
  return type?.type === "string" || type?.type === "array" ? new Set(names) : undefined;
}
