/** Writes one draft by its content: a reference, listed values, alternatives, types, or nothing. */
import { type Draft, isUnconstrained } from "./draft.ts";
import { objectNode } from "./json-nodes.ts";
import type { Place, Rewriter, Written } from "./rewriter.ts";
import { addAnnotations, writeInString } from "./write-annotations.ts";
import { writeReference } from "./write-reference.ts";
import { inferTypes, writeTypes } from "./write-types.ts";
import { writeUnions } from "./write-unions.ts";
import { writeValues } from "./write-values.ts";

export function writeDraft(rewriter: Rewriter, draft: Draft, place: Place): Written | null {
  if (draft.reference !== null) return writeReference(rewriter, draft, place);
  if (draft.values !== null) return writeValues(rewriter, draft, draft.values);
  if (draft.unions.length > 0) return writeUnions(rewriter, draft, place);
  if (draft.types !== null) return writeTypes(rewriter, draft, draft.types, place);
  if (isUnconstrained(draft) && rewriter.profile.untyped.value)
    return addAnnotations(rewriter, draft, objectNode(), []);
  const inferred = inferTypes(rewriter, draft);
  if (inferred !== null) return writeTypes(rewriter, draft, inferred, place);
  return writeInString(rewriter, draft, "json_in_string", UNTYPED, "Declare the type of the value.");
}

const UNTYPED = "A schema without a type is requested as JSON in a string";
