import { makeRefusal, type Refusal } from "../../contract/errors.ts";
import type { Permission } from "../../registry/permission.ts";
import type { SubjectName } from "../../schema/subject-name.ts";
import { subjectNotFound } from "../registry/read/read.ts";
import type { Access } from "./access.ts";

/** The refusal of a permission: explained to callers who may know the subject, hidden from others. */
export function denial(access: Access, permission: Permission, name: SubjectName): Refusal {
  if (name.subject !== "" && !access.mayKnow(name)) return subjectNotFound(name);
  const detail =
    name.subject === ""
      ? `The credential needs "${permission}" for the whole context "${name.context}".`
      : `The credential needs "${permission}" on the subject "${name.subject}" of the context "${name.context}".`;
  return makeRefusal("FORBIDDEN", [detail], detail);
}
