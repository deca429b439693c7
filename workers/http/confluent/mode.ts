/** `/mode`: whether a scope takes writes, imports or neither. */
import { makeRefusal } from "../../../contract/errors.ts";
import type { Outcome } from "../../../registry/commands.ts";
import { MODES, type Mode } from "../../../registry/config.ts";
import { printSubjectName } from "../../../schema/subject-name.ts";
import { commitCommand } from "../../registry/write/commit.ts";
import { forgetDeleted } from "../../registry/write/delete.ts";
import type { Answer } from "../answer.ts";
import { RegistryError, requireValue } from "../errors.ts";
import { answeredAt, answerJson, type ConfluentRequest, idempotencyKey, readFields } from "./request.ts";
import { isTopLevel, parseScope } from "./scopes.ts";

/** The mode if none is set. */
const DEFAULT_MODE: Mode = "READWRITE";

export async function getMode(request: ConfluentRequest): Promise<Answer> {
  const { edge, query } = request;
  const scope = parseScope(request);
  const primary = edge.primary;
  if (query.flag("defaultToGlobal")) {
    const { value, asOf } = requireValue(await primary.read("effectiveMode", { name: scope }));
    return answerJson(request, { mode: value }, answeredAt(asOf));
  }
  const { value, asOf } = requireValue(await primary.read("mode", { scope }));
  const mode = value ?? (isTopLevel(scope) ? DEFAULT_MODE : null);
  if (mode === null) {
    const printed = printSubjectName(scope);
    const detail = `No mode is set for "${printed}".`;
    throw new RegistryError(makeRefusal("SUBJECT_MODE_NOT_SET", [printed], detail), answeredAt(asOf));
  }
  return answerJson(request, { mode }, answeredAt(asOf));
}

export async function putMode(request: ConfluentRequest): Promise<Answer> {
  const { edge, caller, query } = request;
  const fields = await readFields(request);
  const given = fields.text("mode");
  const mode = given === undefined ? undefined : MODES.find((known) => known === given.toUpperCase());
  if (mode === undefined && !fields.isNull("mode")) {
    const detail = `"${(given ?? "").slice(0, 64)}" is not a mode (expected one of ${MODES.join(", ")}).`;
    throw new RegistryError(makeRefusal("INVALID_MODE", [], detail));
  }
  const command = {
    type: "setMode",
    scope: parseScope(request),
    mode: mode ?? null,
    force: query.flag("force"),
  } as const;
  const committed = requireValue(await commitCommand(edge, caller, command, idempotencyKey(request)));
  const { asOf } = committed;
  forgetDeleted(edge, committed, true);
  return answerJson(request, given === undefined ? {} : { mode: given }, answeredAt(asOf));
}

export async function deleteMode(request: ConfluentRequest): Promise<Answer> {
  const { edge, caller, query } = request;
  const command = { type: "deleteMode", scope: parseScope(request), recursive: query.flag("recursive") } as const;
  const { outcome, asOf } = requireValue(await commitCommand(edge, caller, command, idempotencyKey(request)));
  // Null if a recursive delete found no mode at the scope itself.
  return answerJson(request, { mode: (outcome as Outcome & { type: "mode" }).mode }, answeredAt(asOf));
}
