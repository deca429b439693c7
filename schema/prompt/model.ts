/** A prompt: templates with declared variables, and what it promises and asks of a model. */
import type { ArtefactModel } from "../artefact.ts";
import type { ResolvedReference } from "../format.ts";
import type { PartDeclaration } from "../parts.ts";
import { parseDollar, parseFString, parseLangfuse } from "./flat.ts";
import { parseHandlebars } from "./handlebars.ts";
import { parseJinja } from "./jinja.ts";
import { parseMustache } from "./mustache.ts";
import type { ParsedTemplate, Template } from "./template.ts";

export const PROMPT_SYNTAXES = ["f-string", "mustache", "jinja2", "handlebars", "langfuse", "dollar"] as const;
export type PromptSyntax = (typeof PROMPT_SYNTAXES)[number];

export const TEMPLATE_PARSERS: Readonly<Record<PromptSyntax, (text: string) => ParsedTemplate>> = {
  "f-string": parseFString,
  mustache: parseMustache,
  jinja2: parseJinja,
  handlebars: parseHandlebars,
  langfuse: parseLangfuse,
  dollar: parseDollar,
};

/** One message of the prompt, or a place where the caller's own messages go. */
export type PromptMessage =
  | { role: string; template: Template; pointer: string }
  | { placeholder: string; pointer: string };

export type PromptFields = {
  syntax: PromptSyntax;
  /** Null if the prompt is one text. */
  form: "text" | "messages";
  messages: readonly PromptMessage[];
  /** Everything a model reads of the templates, for comparison. */
  words: string;
  isStrict: boolean;
  /** Variables that the templates use, by what they are declared as. */
  used: ReadonlySet<string>;
  /** Optional variables without a default that rendering needs all the same, because the policy is strict. */
  needed: readonly string[];
  defaults: Readonly<Record<string, unknown>>;
  tools: readonly { name: string; reference: ResolvedReference | undefined }[];
  model: string;
  examples: string;
  description: string | null;
};

export type PromptModel = ArtefactModel<PromptFields>;

export const PROMPT_VARIABLES: PartDeclaration = {
  name: "variables",
  variance: "in",
  giver: "the caller",
  taker: "the prompt",
  steers: false,
  warnsOfRemoval: true,
  // Callers go on giving variables that were removed, until nothing undeclared is accepted any more.
  refusesClosing: true,
  isBareEmpty: true,
};

export const PROMPT_OUTPUT: PartDeclaration = {
  name: "output",
  variance: "out",
  giver: "the model",
  taker: "the caller",
  steers: true,
  warnsOfRemoval: false,
  refusesClosing: false,
  isBareEmpty: false,
};
