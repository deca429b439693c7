/** `/contexts`: the namespaces of subjects. */
import { makeRefusal } from "../../../contract/errors.ts";
import { commitCommand } from "../../registry/write/commit.ts";
import type { Answer } from "../answer.ts";
import { RegistryError, requireValue } from "../errors.ts";
import { contextPathProblem, parsePathContext } from "./context-path.ts";
import {
  answeredAt,
  answerJson,
  answerNothing,
  type ConfluentRequest,
  idempotencyKey,
  noSuchPath,
  parseOffsetPage,
} from "./request.ts";

export async function getContexts(request: ConfluentRequest): Promise<Answer> {
  const { edge, query } = request;
  const prefix = query.text("contextPrefix") ?? "";
  const { value, asOf } = requireValue(await edge.primary.read("contexts", {}));
  const { offset, limit } = parseOffsetPage(query, Number.MAX_SAFE_INTEGER);
  const shown = value.filter((context) => context.startsWith(prefix)).slice(offset, offset + limit);
  return answerJson(request, shown, answeredAt(asOf));
}

export async function deleteContext(request: ConfluentRequest): Promise<Answer> {
  const { edge, caller, params } = request;
  const context = parsePathContext(params.context!);
  if (context === undefined) throw colonInContext(`/contexts/${params.context}`);
  const committed = await commitCommand(edge, caller, { type: "deleteContext", context }, idempotencyKey(request));
  const { asOf } = requireValue(committed);
  return answerNothing(answeredAt(asOf));
}

/** Only paths that could not be rewritten get here: their context is invalid, or nothing follows it. */
export function refuseContextPath({ request }: ConfluentRequest): Answer {
  const { pathname } = new URL(request.url);
  if (!/^\/contexts\/[^/]+\/?$/.test(pathname)) throw colonInContext(pathname);
  throw new RegistryError(makeRefusal("METHOD_NOT_ALLOWED", [], "The only operation on a context itself is DELETE."), {
    Allow: "DELETE",
  });
}

function colonInContext(path: string): RegistryError {
  const detail = contextPathProblem(path);
  return detail === undefined
    ? noSuchPath("No route matches this path.")
    : new RegistryError(makeRefusal("BAD_REQUEST", [detail], detail));
}
