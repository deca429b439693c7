/** Subject names as the registry reads them: a bare name in a context, or the qualified form `:.ctx:subject`. */
export interface SubjectName {
  /** Starts with a dot; "." is the default context. */
  context: string;
  subject: string;
}

export function splitSubject(name: string, defaultContext: string | undefined): SubjectName {
  const qualified = /^:(\.[^:]*):(.*)$/s.exec(name);
  if (qualified !== null) return { context: qualified[1] as string, subject: qualified[2] as string };
  const context = defaultContext ?? ".";
  return { context: context.startsWith(".") ? context : `.${context}`, subject: name };
}

export function qualify({ context, subject }: SubjectName): string {
  return context === "." ? subject : `:${context}:${subject}`;
}
