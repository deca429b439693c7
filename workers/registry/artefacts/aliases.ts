/** Aliases of versions and the evidence about them. */
import { makeRefusal, type Refusal } from "../../../contract/errors.ts";
import type {
  AliasMove,
  AliasSettings,
  Evidence,
  EvidenceResult,
  MoveAliasCommand,
  VersionAlias,
} from "../../../registry/alias.ts";
import type { Command, Outcome } from "../../../registry/commands.ts";
import type { AsOf } from "../../../registry/log-entry.ts";
import type { SchemaRecord } from "../../../registry/record.ts";
import type { Caller } from "../../../registry/rpc.ts";
import { ok, type Result, refuse } from "../../../schema/result.ts";
import { compileCel } from "../../../schema/rules/cel.ts";
import type { SubjectName } from "../../../schema/subject-name.ts";
import type { Edge } from "../../edge.ts";
import { subjectNotFound, versionNotFound } from "../read/read.ts";
import { parseSelector } from "../read/selectors.ts";
import { parseSubject } from "../read/subject-names.ts";
import { commitCommand } from "../write/commit.ts";

export type SubjectText = { subject: string; context: string | undefined };
type Options = { idempotencyKey?: string };
type Kept<T> = Result<T & { asOf: AsOf }, Refusal>;

export async function listAliases(
  edge: Edge,
  { subject, context }: SubjectText,
): Promise<Kept<{ aliases: VersionAlias[] }>> {
  const name = parseSubject(subject, context);
  if (!name.ok) return name;
  const answer = await edge.primary.read("versionAliases", { name: name.value });
  if (!answer.ok) return answer;
  const { value, asOf } = answer.value;
  return value === null ? refuse(subjectNotFound(name.value)) : ok({ aliases: value, asOf });
}

type Move = {
  version: string | undefined;
  settings: Partial<AliasSettings>;
  reason: string | null;
  mayMoveProtected: boolean;
};

export async function moveAlias(
  edge: Edge,
  caller: Caller,
  { alias, ...subject }: SubjectText & { alias: string },
  { version, settings, reason, mayMoveProtected }: Move,
  options: Options,
): Promise<Kept<{ alias: VersionAlias; name: SubjectName }>> {
  const name = parseSubject(subject.subject, subject.context);
  if (!name.ok) return name;
  const selector = version === undefined ? ok(null) : parseSelector(version);
  if (!selector.ok) return selector;
  for (const [index, { expression }] of (settings.gates ?? []).entries()) {
    const compiled = compileCel(expression);
    if (compiled.ok) continue;
    const items = [{ pointer: `/gates/${index}/expression`, rule: "cel", message: compiled.refusal }];
    return refuse(makeRefusal("UNPROCESSABLE", [compiled.refusal], compiled.refusal, { items }));
  }
  const command: MoveAliasCommand = {
    type: "moveAlias",
    name: name.value,
    alias,
    selector: selector.value,
    settings,
    reason,
    mayMoveProtected,
  };
  return committedAlias(edge, caller, command, name.value, options);
}

export async function deleteAlias(
  edge: Edge,
  caller: Caller,
  { alias, ...subject }: SubjectText & { alias: string },
  { reason, mayMoveProtected }: Pick<Move, "reason" | "mayMoveProtected">,
  options: Options,
): Promise<Kept<{ alias: VersionAlias; name: SubjectName }>> {
  const name = parseSubject(subject.subject, subject.context);
  if (!name.ok) return name;
  const command: Command = { type: "deleteAlias", name: name.value, alias, reason, mayMoveProtected };
  return committedAlias(edge, caller, command, name.value, options);
}

async function committedAlias(edge: Edge, caller: Caller, command: Command, name: SubjectName, options: Options) {
  const committed = await commitCommand(edge, caller, command, options);
  if (!committed.ok) return committed;
  const { outcome, asOf } = committed.value;
  return ok({ alias: (outcome as Outcome & { type: "alias" }).alias, name, asOf });
}

export async function listAliasMoves(
  edge: Edge,
  { alias, ...subject }: SubjectText & { alias: string },
  { before, limit }: { before: number; limit: number },
): Promise<Kept<{ moves: AliasMove[] }>> {
  const name = parseSubject(subject.subject, subject.context);
  if (!name.ok) return name;
  const answer = await edge.primary.read("aliasMoves", { name: name.value, alias, before, limit });
  if (!answer.ok) return answer;
  const { value, asOf } = answer.value;
  return value === null ? refuse(versionNotFound(name.value, alias)) : ok({ moves: value, asOf });
}

export async function attachEvidence(
  edge: Edge,
  caller: Caller,
  { version, ...subject }: SubjectText & { version: string },
  results: readonly EvidenceResult[],
  options: Options,
): Promise<Kept<{ evidence: Evidence }>> {
  const name = parseSubject(subject.subject, subject.context);
  if (!name.ok) return name;
  const selector = parseSelector(version);
  if (!selector.ok) return selector;
  const command: Command = { type: "attachEvidence", name: name.value, selector: selector.value, results };
  const committed = await commitCommand(edge, caller, command, options);
  if (!committed.ok) return committed;
  const { outcome, asOf } = committed.value;
  return ok({ evidence: (outcome as Outcome & { type: "evidence" }).evidence, asOf });
}

export async function listEvidence(
  edge: Edge,
  { version, ...subject }: SubjectText & { version: string },
): Promise<Kept<{ record: SchemaRecord; evidence: Evidence[] }>> {
  const name = parseSubject(subject.subject, subject.context);
  if (!name.ok) return name;
  const selector = parseSelector(version);
  if (!selector.ok) return selector;
  const answer = await edge.primary.read("evidence", { name: name.value, selector: selector.value });
  if (!answer.ok) return answer;
  const { value, asOf } = answer.value;
  return value === null ? refuse(versionNotFound(name.value, version)) : ok({ ...value, asOf });
}
