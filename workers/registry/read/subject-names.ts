/** Parses subject names of the native API: bare in a context, or qualified. */

import { makeRefusal, type Refusal } from "../../../contract/errors.ts";
import { ok, type Result, refuse } from "../../../schema/result.ts";
import {
  ANY_CONTEXT,
  DEFAULT_CONTEXT,
  GLOBAL_CONTEXT,
  isQualified,
  parseSubjectName,
  type SubjectName,
  subjectNameProblem,
} from "../../../schema/subject-name.ts";

/** `ctx`, `.ctx` and `:.ctx:` all denote the context `.ctx`. */
export function parseContext(text: string | undefined): Result<string, Refusal> {
  if (text === undefined) return ok(DEFAULT_CONTEXT);
  const bare = /^:(\..*):$/.exec(text)?.[1] ?? text;
  const context = bare.startsWith(".") ? bare : `.${bare}`;
  const problem = context.includes(":")
    ? "It contains a colon."
    : subjectNameProblem({ context, subject: "" }, { allowGlobalContext: true });
  if (problem !== undefined) {
    const detail = `"${text}" is not a valid context name. ${problem}`;
    return refuse(makeRefusal("BAD_REQUEST", [detail], detail, { items: [{ rule: "context", message: detail }] }));
  }
  return ok(context);
}

/** The subject in a path or body. A qualified name includes its context; a different one beside it is refused. */
export function parseSubject(text: string, contextText?: string): Result<SubjectName, Refusal> {
  const context = parseContext(contextText);
  if (!context.ok) return context;
  if (!isQualified(text)) return ok({ context: context.value, subject: text });
  const name = parseSubjectName(text);
  if (contextText !== undefined && name.context !== context.value) {
    const detail = `The subject "${text}" is not in the context "${contextText}".`;
    return refuse(makeRefusal("BAD_REQUEST", [detail], detail));
  }
  return ok(name);
}

/** A name under which a version may be registered, or that may be configured. */
export function parseNewSubject(text: string, contextText?: string): Result<SubjectName, Refusal> {
  const parsed = parseSubject(text, contextText);
  if (!parsed.ok) return parsed;
  const problem = nativeProblem(parsed.value) ?? subjectNameProblem(parsed.value);
  if (problem === undefined) return parsed;
  return refuse(
    makeRefusal("INVALID_SUBJECT", [text], `"${text}" is not a valid subject. ${problem}`, {
      items: [{ pointer: "/subject", rule: "subject", message: problem }],
    }),
  );
}

/** The configuration scope of a context. */
export function contextScope(context: string): SubjectName {
  return { context, subject: "" };
}

export const EVERY_CONTEXT_PREFIX = `:${ANY_CONTEXT}:`;

/** A listing prefix for the primary: within one context, or within all by default. */
export function listingPrefix(prefix: string | undefined, contextText: string | undefined): Result<string, Refusal> {
  if (prefix !== undefined && isQualified(prefix)) return ok(prefix);
  if (contextText === undefined) return ok(`${EVERY_CONTEXT_PREFIX}${prefix ?? ""}`);
  const context = parseContext(contextText);
  return context.ok ? ok(`:${context.value}:${prefix ?? ""}`) : context;
}

function nativeProblem({ context, subject }: SubjectName): string | undefined {
  if (subject === "") return "It is empty.";
  if (context === GLOBAL_CONTEXT) return `Context "${GLOBAL_CONTEXT}" cannot hold schemas.`;
  // Browsers and many clients treat these as path segments, so the subject could not be read.
  if (subject === "." || subject === "..") return "It cannot be addressed in a URL.";
  return undefined;
}
