/** A schema's text in another view of its format, such as with references inlined; derived from its closure and cached in memory. */

import { makeRefusal, type Refusal } from "../../../contract/errors.ts";
import type { ContentHash } from "../../../schema/content-hash.ts";
import type { FormatName, JsonDialect } from "../../../schema/format.ts";
import { formatNamed } from "../../../schema/formats.ts";
import { ok, type Result, refuse } from "../../../schema/result.ts";
import type { Edge } from "../../edge.ts";
import { goneMeanwhile } from "../../read-path/texts.ts";
import { sourceOfClosure } from "../write/facts.ts";

/** A stored content and the context in which its references resolve. */
type ContentInContext = {
  contentHash: ContentHash;
  format: FormatName;
  dialect: JsonDialect | null;
  context: string;
  text: string;
};

/** The Confluent API's dialect for JSON Schemas without `$schema`. */
export const CONFLUENT_DIALECT: JsonDialect = "draft-07";

/** A view that only the newest Confluent releases have; refusing it is better than returning another text. */
const UNSUPPORTED_VIEW = "logical";

/** The text in a view; a view that the format lacks returns the unchanged text, as in the Confluent server. */
export async function textInView(
  edge: Edge,
  content: ContentInContext,
  view: string | undefined,
): Promise<Result<string, Refusal>> {
  if (view === undefined || view === "" || view === "default") return ok(content.text);
  const unsupported = viewProblem(view);
  if (unsupported) return refuse(unsupported);
  const key = `view/${content.contentHash}/${content.dialect}/${content.context}/${view.slice(0, MAX_VIEW_CHARACTERS)}`;
  const known = edge.cache.get(key) as string | undefined;
  if (known !== undefined) return ok(known);
  const model = await parseStored(edge, content);
  if (!model.ok) return model;
  const text = formatNamed(content.format).render?.(model.value.model, view) ?? content.text;
  edge.cache.put(key, text, 2 * text.length);
  return ok(text);
}

const MAX_VIEW_CHARACTERS = 64;

export function viewProblem(view: string | undefined): Refusal | undefined {
  if (view?.toLowerCase() !== UNSUPPORTED_VIEW) return undefined;
  const detail = `Schema format "${view}" is not supported`;
  return makeRefusal("UNSUPPORTED", [detail], detail);
}

/** Parses a stored content with its references. */
export async function parseStored(
  edge: Edge,
  { contentHash, context, format, dialect }: Omit<ContentInContext, "text">,
): Promise<Result<{ model: unknown; text: string }, Refusal>> {
  const answer = await edge.primary.read("closure", { contentHash, context });
  if (!answer.ok) return answer;
  const source = answer.value.value && (await sourceOfClosure(edge, answer.value.value));
  if (!source) return refuse(goneMeanwhile());
  const options = { strictness: "stored", defaultDialect: dialect ?? CONFLUENT_DIALECT } as const;
  const parsed = await edge.work.run(formatNamed(format).parseInSlices(source, options));
  if (parsed.ok) return ok({ model: parsed.value.model, text: source.text });
  const detail = parsed.refusal.problems[0]?.message ?? "The schema can no longer be read.";
  return refuse(
    makeRefusal(parsed.refusal.reason === "too_complex" ? "TOO_COMPLEX" : "INVALID_SCHEMA", [detail], detail),
  );
}
