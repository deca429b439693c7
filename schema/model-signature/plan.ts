/** What callers must do because of a new signature, and the request fragments that make servers enforce new outputs. */
import type { Difference } from "../compatibility.ts";
import type { JsonSchemaModel } from "../json/model.ts";
import { parseJsonSchema } from "../json/parse/parse.ts";
import { pointerToken, writeJsonText } from "../json-text.ts";
import { boundedPlan, type Plan, type PlanAction } from "../plan.ts";
import type { Profile } from "../projection/profile.ts";
import { OLLAMA_2026_11 } from "../projection/profiles/ollama@2026-11.ts";
import { TENSORRT_LLM_2026_11 } from "../projection/profiles/tensorrt-llm@2026-11.ts";
import { VLLM_2026_11 } from "../projection/profiles/vllm@2026-11.ts";
import { projectSchema } from "../projection/project.ts";
import { requestFragment } from "../projection/request-fragment.ts";
import type { SignatureModel } from "./model.ts";

/** A longer schema has no fragments in the plan: all of them must fit into an event. */
export const MAX_FRAGMENT_CHARACTERS = 2_000;
/** Outputs with fragments: each is projected three times. */
export const MAX_FRAGMENTS = 10;

/** The servers whose requests carry the schema for guided decoding. */
const GUIDED_DECODING = [VLLM_2026_11, TENSORRT_LLM_2026_11, OLLAMA_2026_11];

export function planForSignature(
  _previous: SignatureModel,
  next: SignatureModel,
  differences: readonly Difference[],
): Plan {
  const actions = differences.flatMap(
    ({ severity, message: reason, reader_pointer, writer_pointer, part }): PlanAction[] => {
      const place = reader_pointer ?? writer_pointer;
      const pointer = place === null ? {} : { pointer: place };
      if (severity === "behaviour") return [{ action: "evaluate", ...pointer, reason }];
      if (severity !== "breaking") return [];
      return [{ action: part?.variance === "out" ? "change_reader" : "change_caller", ...pointer, reason }];
    },
  );
  const places = differences.flatMap(({ part, severity, reader_pointer, writer_pointer }) =>
    part?.name === "outputs" && severity !== "info" ? [reader_pointer ?? writer_pointer ?? "/outputs"] : [],
  );
  const isChanged = (output: string) => {
    const pointer = `/outputs/${pointerToken(output)}`;
    return places.some(
      (place) => place === pointer || place.startsWith(`${pointer}/`) || !place.startsWith("/outputs/"),
    );
  };
  return boundedPlan([...actions, ...fragmentsOf(next, isChanged)]);
}

/**
 * Guided decoding keeps to the old schema until its requests carry the new one. Each server gets the schema as its
 * profile projects it, because each ignores or refuses other keywords.
 */
function fragmentsOf({ own, source }: SignatureModel, changed: (output: string) => boolean): PlanAction[] {
  const outputs = [...own.outputSchemas].filter(([name]) => changed(name));
  return outputs.map(([name, schema], index): PlanAction => {
    const text = JSON.stringify(schema);
    const action = {
      action: "update_guided_decoding",
      pointer: `/outputs/${pointerToken(name)}`,
      reason: `Guided decoding must use the new schema of "${name}".`,
    };
    if (text.length > MAX_FRAGMENT_CHARACTERS || index >= MAX_FRAGMENTS) {
      return { ...action, note: "The plan has no room for the fragments; project this output for each server." };
    }
    const parsed = parseJsonSchema(
      { text, references: source.references },
      { strictness: "new", defaultDialect: "2020-12" },
    );
    if (!parsed.ok) return { ...action, note: parsed.refusal.problems[0]?.message ?? "The schema cannot be read." };
    const found = GUIDED_DECODING.map((profile) => fragmentFor(parsed.value.model, profile, name));
    const notes = found.flatMap(({ note }) => note ?? []);
    return {
      ...action,
      ...(notes.length === 0 ? {} : { note: notes.join(" ") }),
      commands: found.flatMap(({ command }) => command ?? []),
    };
  });
}

function fragmentFor(
  model: JsonSchemaModel,
  profile: Profile,
  name: string,
): { note?: string; command?: { store: string; command: string } } {
  const projected = projectSchema(model, profile);
  if (!projected.ok) {
    return { note: `${profile.provider} cannot decode by it: ${projected.refusal.problems[0]?.message}` };
  }
  const { schema, changes } = projected.value;
  const fragment = requestFragment(profile, undefined, schema, { name });
  if (!fragment.ok) return { note: fragment.refusal.message };
  const command = { store: profile.name, command: writeJsonText(fragment.value.fragment) };
  const lost = changes.find(({ loss }) => loss !== "lossless");
  if (lost === undefined) return { command };
  return { command, note: `${profile.provider} does not enforce all of it: ${lost.message}` };
}
