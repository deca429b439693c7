/** Custom rules of a subject or of the whole tenant: rule books, and the dated exceptions in them. */
import type { Refusal } from "../../../contract/errors.ts";
import type { AsOf } from "../../../registry/log-entry.ts";
import type { Caller } from "../../../registry/rpc.ts";
import { type DatedException, EMPTY_RULE_BOOK, type RuleBook } from "../../../schema/rules/rule-book.ts";
import { GLOBAL_CONTEXT, type SubjectName } from "../../../schema/subject-name.ts";
import type { Edge } from "../../edge.ts";
import { parseCursor, printCursor } from "../read/cursor.ts";
import { parseNewSubject } from "../read/subject-names.ts";
import { commitCommand } from "./commit.ts";

/** A subject, or with `subject` undefined the whole tenant. */
export type RuleScopeText = { subject: string | undefined; context: string | undefined };

export type ScopedBook = { ok: true; scope: SubjectName; book: RuleBook; asOf: AsOf };

/** The rule book of a scope; `effective` also includes the tenant's rules for a subject. */
export async function readRules(
  edge: Edge,
  scopeText: RuleScopeText,
  { effective }: { effective: boolean },
): Promise<ScopedBook | Refusal> {
  const scope = scopeOf(scopeText);
  if (!scope.ok) return scope;
  return effective && scope.name.subject !== "" ? effectiveBook(edge, scope.name) : ownBook(edge, scope.name);
}

/** Replaces a scope's book; null removes it. */
export async function setRules(
  edge: Edge,
  caller: Caller,
  scopeText: RuleScopeText,
  book: RuleBook | null,
  options: { idempotencyKey?: string | undefined },
): Promise<ScopedBook | Refusal> {
  const scope = scopeOf(scopeText);
  if (!scope.ok) return scope;
  const committed = await commitCommand(edge, caller, { type: "setRules", scope: scope.name, book }, options);
  if (!committed.ok) return committed;
  return { ok: true, scope: scope.name, book: book ?? EMPTY_RULE_BOOK, asOf: committed.asOf };
}

export type ScopedException = { scope: SubjectName; exception: DatedException };

export async function addException(
  edge: Edge,
  caller: Caller,
  scopeText: RuleScopeText,
  exception: DatedException,
  options: { idempotencyKey?: string | undefined },
): Promise<({ ok: true; asOf: AsOf } & ScopedException) | Refusal> {
  const scope = scopeOf(scopeText);
  if (!scope.ok) return scope;
  const committed = await commitCommand(edge, caller, { type: "addException", scope: scope.name, exception }, options);
  return committed.ok ? { ok: true, scope: scope.name, exception, asOf: committed.asOf } : committed;
}

type ExceptionPage = { ok: true; items: ScopedException[]; nextCursor: string | undefined; asOf: AsOf };

/**
 * The exceptions of every scope. A page holds whole scopes, so it is limited in bytes by the primary instead of in
 * items.
 */
export async function listExceptions(
  edge: Edge,
  { cursor, expired }: { cursor: string | undefined; expired: boolean },
): Promise<ExceptionPage | Refusal> {
  const start = cursor === undefined ? undefined : parseCursor("exceptions", cursor);
  if (start?.ok === false) return start;
  const [context, subject] = (start?.position ?? []) as [string?, string?];
  const after = context === undefined || subject === undefined ? null : { context, subject };
  const answer = await edge.primary.read("exceptions", { after });
  if ("ok" in answer) return answer;
  const { scopes, next } = answer.value;
  const nowMs = edge.now();
  const items = scopes
    .flatMap(({ scope, exceptions }) => exceptions.map((exception) => ({ scope, exception })))
    .filter(({ exception }) => expired || nowMs < exception.expiresAtMs);
  const nextCursor = next === null ? undefined : printCursor("exceptions", [next.context, next.subject]);
  return { ok: true, items, nextCursor, asOf: answer.asOf };
}

async function ownBook(edge: Edge, scope: SubjectName): Promise<ScopedBook | Refusal> {
  const answer = await edge.primary.read("rules", { scope });
  return "ok" in answer ? answer : { ok: true, scope, book: answer.value ?? EMPTY_RULE_BOOK, asOf: answer.asOf };
}

async function effectiveBook(edge: Edge, scope: SubjectName): Promise<ScopedBook | Refusal> {
  const answer = await edge.primary.read("effectiveRules", { name: scope });
  return "ok" in answer ? answer : { ok: true, scope, book: answer.value, asOf: answer.asOf };
}

function scopeOf({ subject, context }: RuleScopeText): { ok: true; name: SubjectName } | Refusal {
  if (subject !== undefined) return parseNewSubject(subject, context);
  return { ok: true, name: { context: GLOBAL_CONTEXT, subject: "" } };
}
