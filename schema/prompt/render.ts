/** Renders a prompt: checks the variables, fills in defaults, and gives the messages to send to a model. */
import type { DataError } from "../data.ts";
import { jsonSchema } from "../json/format.ts";
import { ok, type Result, refuse } from "../result.ts";
import type { PromptModel } from "./model.ts";
import { MAX_RENDERED_CHARACTERS, type Piece } from "./template.ts";

type RenderedMessage = { role: string; content: unknown };

export type RenderRefusal =
  | { reason: "invalid_variables"; errors: readonly DataError[] }
  | { reason: "missing_variables"; names: readonly string[] }
  | { reason: "invalid" | "too_complex"; message: string; pointer: string };

export function renderPrompt(
  { own, parts }: PromptModel,
  given: Readonly<Record<string, unknown>>,
): Result<readonly RenderedMessage[], RenderRefusal> {
  const { model } = parts.find(({ declaration }) => declaration.name === "variables")!;
  const variables = { ...own.defaults, ...given };
  const verdict = jsonSchema.data.validate(model, variables, { formats: true });
  if (!verdict.ok) return refuse({ reason: "too_complex", message: verdict.refusal.message, pointer: "/variables" });
  if (!verdict.value.valid) return refuse({ reason: "invalid_variables", errors: verdict.value.errors });
  const missing = own.needed.filter((name) => !Object.hasOwn(variables, name));
  if (missing.length > 0) return refuse({ reason: "missing_variables", names: missing });
  const messages: RenderedMessage[] = [];
  let characters = 0;
  for (const message of own.messages) {
    if ("placeholder" in message) {
      const inserted = insertedMessages(variables[message.placeholder]);
      if (inserted === undefined) {
        const text = `"${message.placeholder}" must be a list of messages, each with a role and content.`;
        return refuse({ reason: "invalid", message: text, pointer: message.pointer });
      }
      messages.push(...inserted);
      continue;
    }
    const rendered = message.template.render(variables);
    if (!rendered.ok) return refuse({ ...rendered.refusal, pointer: message.pointer });
    messages.push(...byRole(message.role, rendered.value));
    characters += rendered.value.reduce((sum, piece) => sum + (typeof piece === "string" ? piece.length : 0), 0);
    if (characters > MAX_RENDERED_CHARACTERS) {
      const text = `The rendered prompt has more than ${MAX_RENDERED_CHARACTERS} characters.`;
      return refuse({ reason: "too_complex", message: text, pointer: message.pointer });
    }
  }
  return ok(messages);
}

/** Dotprompt starts messages inside one text. */
function byRole(role: string, pieces: readonly Piece[]): RenderedMessage[] {
  const messages: { role: string; content: string }[] = [{ role, content: "" }];
  for (const piece of pieces) {
    if (typeof piece === "string") messages.at(-1)!.content += piece;
    else messages.push({ role: piece.role, content: "" });
  }
  const isSplit = messages.length > 1;
  const trimmed = isSplit ? messages.map((message) => ({ ...message, content: message.content.trim() })) : messages;
  return isSplit ? trimmed.filter(({ content }) => content !== "") : trimmed;
}

/** An absent history is an empty one. */
function insertedMessages(value: unknown): RenderedMessage[] | undefined {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) return undefined;
  const messages = value.map((item: unknown) => {
    const { role, content } = (typeof item === "object" && item !== null ? item : {}) as Record<string, unknown>;
    return typeof role === "string" && content !== undefined ? { role, content } : undefined;
  });
  return messages.every((message) => message !== undefined) ? messages : undefined;
}
