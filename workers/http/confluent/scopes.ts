/** The scope of `/config` and `/mode`: a subject, a context, the global context, or the top level. */
import { DEFAULT_CONTEXT, parseSubjectName, type SubjectName } from "../../../schema/subject-name.ts";
import type { ConfluentRequest } from "./request.ts";

const TOP_LEVEL: SubjectName = { context: DEFAULT_CONTEXT, subject: "" };

export function parseScope({ params }: Pick<ConfluentRequest, "params">): SubjectName {
  return params.subject === undefined ? TOP_LEVEL : parseSubjectName(params.subject);
}

/** The top level always has a config and a mode. */
export function isTopLevel({ context, subject }: SubjectName): boolean {
  return subject === "" && context === DEFAULT_CONTEXT;
}
