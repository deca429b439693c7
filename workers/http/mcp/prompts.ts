/** Registered prompts as the protocol's prompts. Their arguments are texts; other variables are sent as JSON. */
import { callRendering } from "./artefact-tools.ts";
import type { CallNative } from "./native-call.ts";

/** Pages of prompts in one list, so that their texts fit into memory; the tool search_schemas finds the others. */
const MAX_PAGES = 5;
const PROMPTS_PER_PAGE = 200;

type JsonSchemaOf = { type?: unknown; description?: string };
type PromptContent = {
  description?: string;
  variables?: { properties?: Record<string, JsonSchemaOf>; required?: string[] } | boolean;
};
type PromptRecord = { subject: string; description: string | null; content: PromptContent };

/** The latest version of each prompt that the caller may see, by name. */
export async function listPrompts(call: CallNative) {
  const records: PromptRecord[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const query = { format: "prompt", latest_only: "true", limit: String(PROMPTS_PER_PAGE), cursor };
    const answer = (await call("GET /schemas", { query })) as { items: PromptRecord[]; next_cursor?: string };
    records.push(...answer.items);
    cursor = answer.next_cursor;
    if (cursor === undefined) break;
  }
  records.sort((a, b) => (a.subject < b.subject ? -1 : 1));
  return { prompts: records.map(describePrompt) };
}

function describePrompt({ subject, description, content }: PromptRecord) {
  const said = content.description ?? description;
  return {
    name: subject,
    ...(said === null || said === undefined ? {} : { description: said }),
    arguments: Object.entries(variablesOf(content)).map(([name, variable]) => ({
      name,
      ...(variable.description === undefined ? {} : { description: variable.description }),
      required: requiredOf(content).includes(name),
    })),
  };
}

function variablesOf({ variables }: PromptContent): Record<string, JsonSchemaOf> {
  return typeof variables === "object" ? (variables.properties ?? {}) : {};
}

function requiredOf({ variables }: PromptContent): readonly string[] {
  return typeof variables === "object" ? (variables.required ?? []) : [];
}

export async function getPrompt(name: string, given: Readonly<Record<string, string>>, call: CallNative) {
  const path = { subject: name, version: "latest" };
  const { content } = (await call("GET /subjects/{subject}/versions/{version}", { path })) as PromptRecord;
  const declared = variablesOf(content);
  const variables = Object.fromEntries(
    Object.entries(given).map(([variable, text]) => [variable, valueFor(text, declared[variable])]),
  );
  const { messages } = await callRendering({ subject: name, variables }, call);
  return { messages: messages.map(toProtocol) };
}

/** A variable that is declared as text stays one, also if it looks like JSON. */
function valueFor(text: string, declared: JsonSchemaOf | undefined): unknown {
  if (declared === undefined || declared.type === "string") return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** The protocol has no role `system`, so a client sends such a message as the user's. */
function toProtocol({ role, content }: { role: string; content: unknown }) {
  const text = typeof content === "string" ? content : JSON.stringify(content);
  return {
    role: role === "assistant" ? ("assistant" as const) : ("user" as const),
    content: { type: "text" as const, text },
  };
}
