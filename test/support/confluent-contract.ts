/** What contract/confluent.openapi.json declares about an answer. */
import document from "../../contract/confluent.openapi.json";
import { pathInContext } from "../../workers/http/confluent/context-path.ts";
import { type AnswerToCheck, DocumentedAnswers } from "./documented-answers.ts";

export const CONFLUENT_ANSWERS = new DocumentedAnswers(document);

/** How an answer of the Confluent API differs from its document; `path` is as sent. A request that no route takes is not documented. */
export function confluentProblems(method: string, path: string, answer: AnswerToCheck): string[] {
  // Trailing slashes are tolerated.
  const pathname = path.split("?", 1)[0]!.replace(/(?<=.)\/$/, "");
  // A path below a context is answered as the path itself.
  const operation = CONFLUENT_ANSWERS.operationAt(method, pathInContext(pathname));
  if (operation !== undefined) return CONFLUENT_ANSWERS.problems(operation, answer);
  return answer.status >= 400 || method === "OPTIONS" || method === "HEAD"
    ? []
    : [`${method} ${pathname} is not documented, and answers ${answer.status}`];
}
