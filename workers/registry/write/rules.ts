/** Custom rules of a subject or of the whole tenant: rule books, and the dated exceptions in them. */

import type { Refusal } from "../../../contract/errors.ts";
import type { AsOf } from "../../../registry/log-entry.ts";
import type { Caller } from "../../../registry/rpc.ts";
import { ok, type Result } from "../../../schema/result.ts";
import { type DatedException, EMPTY_RULE_BOOK, type RuleBook } from "../../../schema/rules/rule-book.ts";
import { GLOBAL_CONTEXT, type SubjectName } from "../../../schema/subject-name.ts";
import type { Edge } from "../../edge.ts";
import { parseCursor, printCursor } from "../read/cursor.ts";
import { parseNewSubject } from "../read/subject-names.ts";
import { commitCommand } from "./commit.ts";

/** A subject, or with `subject` undefined the whole tenant. */
export type RuleScopeText = { subject: string | undefined; context: string | undefined };

export type ScopedBook = { scope: SubjectName; book: RuleBook; asOf: AsOf };

/** The rule book of a scope; `effective` also includes the tenant's rules for a subject. */
export async function readRules(
  edge: Edge,
  scopeText: RuleScopeText,
  { effective }: { effective: boolean },
): Promise<Result<ScopedBook, Refusal>> {
  const scope = parseScopeText(scopeText);
  if (!scope.ok) return scope;
  return effective && scope.value.subject !== "" ? effectiveBook(edge, scope.value) : ownBook(edge, scope.value);
}

/** Replaces a scope's book; null removes it. */
export async function setRules(
  edge: Edge,
  caller: Caller,
  scopeText: RuleScopeText,
  book: RuleBook | null,
  options: { idempotencyKey?: string | undefined },
): Promise<Result<ScopedBook, Refusal>> {
  const scope = parseScopeText(scopeText);
  if (!scope.ok) return scope;
  const committed = await commitCommand(edge, caller, { type: "setRules", scope: scope.value, book }, options);
  if (!committed.ok) return committed;
  return ok({ scope: scope.value, book: book ?? EMPTY_RULE_BOOK, asOf: committed.value.asOf });
}

export type ScopedException = { scope: SubjectName; exception: DatedException };

export async function addException(
  edge: Edge,
  caller: Caller,
  scopeText: RuleScopeText,
  exception: DatedException,
  options: { idempotencyKey?: string | undefined },
): Promise<Result<{ asOf: AsOf } & ScopedException, Refusal>> {
  const scope = parseScopeText(scopeText);
  if (!scope.ok) return scope;
  const committed = await commitCommand(edge, caller, { type: "addException", scope: scope.value, exception }, options);
  return committed.ok ? ok({ scope: scope.value, exception, asOf: committed.value.asOf }) : committed;
}

type ExceptionPage = { items: ScopedException[]; nextCursor: string | undefined; asOf: AsOf };

/**
 * The exceptions of every scope. A page holds whole scopes, so it is limited in bytes by the primary instead of in
 * items.
 */
export async function listExceptions(
  edge: Edge,
  { cursor, expired }: { cursor: string | undefined; expired: boolean },
): Promise<Result<ExceptionPage, Refusal>> {
  const start = cursor === undefined ? undefined : parseCursor("exceptions", cursor);
  if (start?.ok === false) return start;
  const [context, subject] = (start?.value ?? []) as [string?, string?];
  const after = context === undefined || subject === undefined ? null : { context, subject };
  const answer = await edge.primary.read("exceptions", { after });
  if (!answer.ok) return answer;
  const { scopes, next } = answer.value.value;
  const nowMs = edge.now();
  const items = scopes
    .flatMap(({ scope, exceptions }) => exceptions.map((exception) => ({ scope, exception })))
    .filter(({ exception }) => expired || nowMs < exception.expiresAtMs);
  const nextCursor = next === null ? undefined : printCursor("exceptions", [next.context, next.subject]);
  return ok({ items, nextCursor, asOf: answer.value.asOf });
}

async function ownBook(edge: Edge, scope: SubjectName): Promise<Result<ScopedBook, Refusal>> {
  const answer = await edge.primary.read("rules", { scope });
  return answer.ok ? ok({ scope, book: answer.value.value ?? EMPTY_RULE_BOOK, asOf: answer.value.asOf }) : answer;
}

async function effectiveBook(edge: Edge, scope: SubjectName): Promise<Result<ScopedBook, Refusal>> {
  const answer = await edge.primary.read("effectiveRules", { name: scope });
  return answer.ok ? ok({ scope, book: answer.value.value, asOf: answer.value.asOf }) : answer;
}

function parseScopeText({ subject, context }: RuleScopeText): Result<SubjectName, Refusal> {
  if (subject !== undefined) return parseNewSubject(subject, context);
  return ok({ context: GLOBAL_CONTEXT, subject: "" });
}
