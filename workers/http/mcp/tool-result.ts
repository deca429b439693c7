/** Tool results: an answer that fits into a model's context, or a failure in words that say what to do next. */
import type { CallToolResult } from "@modelcontextprotocol/server";
import { ERRORS } from "../../../contract/errors.ts";
import { nearestWord } from "../../../schema/spelling.ts";
import type { RegistryError } from "../errors.ts";
import type { CallNative } from "./native-call.ts";
import type { ToolAnswer } from "./tool.ts";

/** About eight thousand tokens. */
export const MAX_TOOL_ANSWER_BYTES = 32_768;

export function answerResult({ summary, value, link }: ToolAnswer): CallToolResult {
  const whole = { summary, ...value };
  const fitted = byteLength(whole) <= MAX_TOOL_ANSWER_BYTES ? whole : shorten(whole);
  if (fitted === undefined) {
    return failure(`too_large: ${summary} The answer is too long to be shown; ask for less at a time.`);
  }
  const text = { type: "text" as const, text: JSON.stringify(fitted) };
  const isCut = fitted !== whole && link !== undefined;
  const more = isCut ? [{ type: "resource_link" as const, uri: link.uri, name: link.name }] : [];
  return { content: [text, ...more], structuredContent: fitted };
}

/** Without the schema's text, then with ever shorter lists, at their ends. */
function shorten(whole: Record<string, unknown>): Record<string, unknown> | undefined {
  const { content: _, ...rest } = whole;
  let cut: Record<string, unknown> = { ...rest, truncated: true };
  while (byteLength(cut) > MAX_TOOL_ANSWER_BYTES) {
    const [longest] = Object.entries(cut)
      .filter((pair): pair is [string, unknown[]] => Array.isArray(pair[1]) && pair[1].length > 1)
      .toSorted(([, a], [, b]) => byteLength(b) - byteLength(a));
    if (longest === undefined) return undefined;
    const [name, items] = longest;
    cut = { ...cut, [name]: items.slice(0, Math.floor(items.length / 2)) };
  }
  return cut;
}

function byteLength(value: unknown): number {
  return new TextEncoder().encode(JSON.stringify(value)).byteLength;
}

export function failure(text: string): CallToolResult {
  return { content: [{ type: "text", text }], isError: true };
}

/** The refusal in words: its code, what was wrong, where, and what to try. */
export async function refusalResult(
  { refusal }: RegistryError,
  args: Record<string, unknown>,
  call: CallNative,
): Promise<CallToolResult> {
  const { code } = ERRORS[refusal.error];
  const places = (refusal.items ?? []).map(({ pointer, message }) => (pointer ? `${pointer}: ${message}` : message));
  const lines = [`${code}: ${refusal.detail}`, ...places.filter((place) => place !== refusal.detail)];
  if (refusal.retryAfterSeconds !== undefined) lines.push(`Try again in ${refusal.retryAfterSeconds} seconds.`);
  const close = refusal.error === "SUBJECT_NOT_FOUND" ? await nearestSubject(String(args.subject), call) : undefined;
  if (close !== undefined) lines.push(`Close: ${close}.`);
  return failure(lines.join("\n"));
}

/** Names that share their beginning with a mistyped one. */
const SHARED_CHARACTERS = 2;
const MAX_NAMES = "200";

async function nearestSubject(subject: string, call: CallNative): Promise<string | undefined> {
  try {
    const query = { prefix: subject.slice(0, SHARED_CHARACTERS), limit: MAX_NAMES };
    const { items } = (await call("GET /subjects", { query })) as { items: { subject: string }[] };
    return nearestWord(
      subject,
      items.map((item) => item.subject),
    );
  } catch {
    // The caller may not list subjects, and gets the refusal alone.
    return undefined;
  }
}
