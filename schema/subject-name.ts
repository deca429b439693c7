/** Qualified subject names: `:.<context>:<subject>`; the default context `.` is not printed. */

export const DEFAULT_CONTEXT = ".";
/** Fallback for config and mode of every context; it never contains schemas. */
export const GLOBAL_CONTEXT = ".__GLOBAL";
/** All contexts, only valid in listing prefixes. */
export const ANY_CONTEXT = "*";
/** Our own limit; the Confluent server has none. Applies to subject and context separately, in UTF-16 code units. */
export const MAX_SUBJECT_CHARACTERS = 255;

export type SubjectName = { context: string; subject: string };

export function parseSubjectName(text: string): SubjectName {
  if (text.startsWith(":.")) {
    const end = text.indexOf(":", 1);
    return end === -1
      ? { context: text.slice(1), subject: "" }
      : { context: text.slice(1, end), subject: text.slice(end + 1) };
  }
  if (text.startsWith(":*:")) return { context: ANY_CONTEXT, subject: text.slice(3) };
  return { context: DEFAULT_CONTEXT, subject: text };
}

/** The normalised name: unqualified in the default context, qualified in others. */
export function printSubjectName({ context, subject }: SubjectName): string {
  return context === DEFAULT_CONTEXT ? subject : `:${context}:${subject}`;
}

export function isSameSubject(a: SubjectName, b: SubjectName): boolean {
  return a.context === b.context && a.subject === b.subject;
}

/** An unqualified reference is resolved in the referring subject's context. */
export function referenceName(context: string, subject: string): SubjectName {
  const name = parseSubjectName(subject);
  return subject.startsWith(":.") ? name : { context, subject: name.subject };
}

/** Whether the name is qualified, so that no other context is searched. */
export function isQualified(text: string): boolean {
  return text.startsWith(":.") || text.startsWith(":*:");
}

/** The reason a name cannot be registered or configured; undefined if it can. */
export function subjectNameProblem(
  { context, subject }: SubjectName,
  options: { allowGlobalContext?: boolean } = {},
): string | undefined {
  if (/[\u0000-\u001f\u007f-\u009f]/.test(context + subject)) return "It contains a control character.";
  if (subject === "__GLOBAL" || subject === "__EMPTY") return `"${subject}" is reserved.`;
  if (context === GLOBAL_CONTEXT && !options.allowGlobalContext)
    return `Context "${GLOBAL_CONTEXT}" cannot hold schemas.`;
  if (context === ANY_CONTEXT) return "A wildcard context names no single subject.";
  if (subject.length > MAX_SUBJECT_CHARACTERS || context.length > MAX_SUBJECT_CHARACTERS) {
    return `It is longer than ${MAX_SUBJECT_CHARACTERS} characters.`;
  }
  return undefined;
}
