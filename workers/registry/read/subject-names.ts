/** Subject names as native callers give them: bare in a context, or qualified. */
import { type Refusal, refuse } from "../../../contract/errors.ts";
import {
  ANY_CONTEXT,
  DEFAULT_CONTEXT,
  GLOBAL_CONTEXT,
  isQualified,
  parseSubjectName,
  type SubjectName,
  subjectNameProblem,
} from "../../../schema/subject-name.ts";

/** `ctx`, `.ctx` and `:.ctx:` all name the context `.ctx`. */
export function parseContext(text: string | undefined): { ok: true; context: string } | Refusal {
  if (text === undefined) return { ok: true, context: DEFAULT_CONTEXT };
  const bare = /^:(\..*):$/.exec(text)?.[1] ?? text;
  const context = bare.startsWith(".") ? bare : `.${bare}`;
  const problem = context.includes(":")
    ? "It contains a colon."
    : subjectNameProblem({ context, subject: "" }, { allowGlobalContext: true });
  if (problem !== undefined) {
    const detail = `"${text}" is no context name. ${problem}`;
    return refuse("BAD_REQUEST", [detail], detail, { items: [{ rule: "context", message: detail }] });
  }
  return { ok: true, context };
}

/** The subject a path or body names. A qualified name says its own context; another one beside it is a contradiction. */
export function parseSubject(text: string, contextText?: string): { ok: true; name: SubjectName } | Refusal {
  const context = parseContext(contextText);
  if (!context.ok) return context;
  if (!isQualified(text)) return { ok: true, name: { context: context.context, subject: text } };
  const name = parseSubjectName(text);
  if (contextText !== undefined && name.context !== context.context) {
    const detail = `The subject "${text}" names another context than "${contextText}".`;
    return refuse("BAD_REQUEST", [detail], detail);
  }
  return { ok: true, name };
}

/** A name that a new version may be registered under, or that can be configured. */
export function parseNewSubject(text: string, contextText?: string): { ok: true; name: SubjectName } | Refusal {
  const parsed = parseSubject(text, contextText);
  if (!parsed.ok) return parsed;
  const problem = nativeProblem(parsed.name) ?? subjectNameProblem(parsed.name);
  if (problem === undefined) return parsed;
  return refuse("INVALID_SUBJECT", [text], `"${text}" cannot be a subject. ${problem}`, {
    items: [{ pointer: "/subject", rule: "subject", message: problem }],
  });
}

/** The scope of configuration of a whole context. */
export function contextScope(context: string): SubjectName {
  return { context, subject: "" };
}

export const EVERY_CONTEXT_PREFIX = `:${ANY_CONTEXT}:`;

/** A listing prefix as the primary takes it: inside one context, or in all where none is named. */
export function listingPrefix(
  prefix: string | undefined,
  contextText: string | undefined,
): { ok: true; prefix: string } | Refusal {
  if (prefix !== undefined && isQualified(prefix)) return { ok: true, prefix };
  if (contextText === undefined) return { ok: true, prefix: `${EVERY_CONTEXT_PREFIX}${prefix ?? ""}` };
  const context = parseContext(contextText);
  return context.ok ? { ok: true, prefix: `:${context.context}:${prefix ?? ""}` } : context;
}

function nativeProblem({ context, subject }: SubjectName): string | undefined {
  if (subject === "") return "It is empty.";
  if (context === GLOBAL_CONTEXT) return `Context "${GLOBAL_CONTEXT}" holds no schemas.`;
  // A browser and many clients take these for steps in a path, so the subject could never be read again.
  if (subject === "." || subject === "..") return "A URL cannot name it.";
  return undefined;
}
