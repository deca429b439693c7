/** Prompts behind the interface that all formats share. */
import { ANY_VALUE, artefactFormat, partAt } from "../artefact.ts";
import type { SchemaFormat } from "../format.ts";
import type { JsonNode } from "../json-text.ts";
import { comparePrompts, witnessOfPrompt } from "./compare.ts";
import { PROMPT_OUTPUT, PROMPT_VARIABLES, type PromptFields, type PromptModel } from "./model.ts";
import { planForPrompt } from "./plan.ts";
import { readPrompt } from "./read.ts";
import { PROMPT_SHAPE } from "./shape.ts";

/** A prompt that declares no variables is called with an object that has none. */
const NO_VARIABLES: JsonNode = {
  type: "object",
  start: 0,
  members: new Map([["type", { type: "string", start: 0, value: "object" }]]),
};

export const prompt: SchemaFormat<PromptModel> = artefactFormat<PromptFields>({
  name: "prompt",
  codeVersion: 3,
  shape: PROMPT_SHAPE,
  partsOf: (root) => [
    partAt(root, PROMPT_VARIABLES, ["variables"], NO_VARIABLES),
    partAt(root, PROMPT_OUTPUT, ["output"], ANY_VALUE),
  ],
  readOwn: readPrompt,
  compareOwn: comparePrompts,
  witnessOwn: witnessOfPrompt,
  datumOf: (_, part, value) => ({ [part]: value }),
  plan: planForPrompt,
});
