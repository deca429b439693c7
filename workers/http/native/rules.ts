/** `/rules`, `/subjects/{s}/rules` and `/exceptions`: custom decisions about differences, on top of the policies. */
import { timestamp } from "../../../registry/record-view.ts";
import { type DryRunPair, dryRunRules, type JudgedPair } from "../../registry/compatibility/rules-dry-run.ts";
import {
  addException,
  listExceptions,
  type RuleScopeText,
  readRules,
  type ScopedBook,
  type ScopedException,
  setRules,
} from "../../registry/write/rules.ts";
import { type Answer, jsonAnswer, provenance } from "../answer.ts";
import { requireValue } from "../errors.ts";
import { idempotencyKey, textParameter } from "./fields.ts";
import type { NativeRequest } from "./request.ts";
import {
  type BookField,
  bookJson,
  type ExceptionField,
  exceptionJson,
  parseBookField,
  parseException,
  parseTime,
  scopeJson,
} from "./rule-books.ts";
import type { Shape } from "./shapes.ts";

export async function getRules(request: NativeRequest): Promise<Answer> {
  const { edge, query } = request;
  const effective = query.effective === true;
  return bookAnswer(request, requireValue(await readRules(edge, readRuleScope(request), { effective })));
}

export async function putRules(request: NativeRequest): Promise<Answer> {
  const { edge, caller, body } = request;
  const book = parseBookField(body as BookField);
  const set = await setRules(edge, caller, readRuleScope(request), book, idempotencyKey(request));
  return bookAnswer(request, requireValue(set));
}

export async function deleteRules(request: NativeRequest): Promise<Answer> {
  const { edge, caller } = request;
  return bookAnswer(
    request,
    requireValue(await setRules(edge, caller, readRuleScope(request), null, idempotencyKey(request))),
  );
}

export async function getExceptions(request: NativeRequest): Promise<Answer> {
  const { edge, query } = request;
  const wanted = { cursor: textParameter(request, "cursor"), expired: query.expired === true };
  const { items, nextCursor, asOf } = requireValue(await listExceptions(edge, wanted));
  const next = nextCursor === undefined ? {} : { next_cursor: nextCursor };
  return jsonAnswer(
    200,
    { items: items.map((item) => scopedExceptionJson(item, edge.now())), ...next },
    provenance(asOf, "primary"),
  );
}

export async function postException(request: NativeRequest): Promise<Answer> {
  const { edge, caller } = request;
  const { subject, context, ...field } = request.body as ExceptionField & { subject?: string; context?: string };
  const exception = parseException(field);
  const added = await addException(edge, caller, { subject, context }, exception, idempotencyKey(request));
  const { asOf, ...scoped } = requireValue(added);
  return jsonAnswer(201, scopedExceptionJson(scoped, edge.now()), provenance(asOf, "primary"));
}

export async function postDryRun(request: NativeRequest): Promise<Answer> {
  const { edge } = request;
  const {
    subject,
    context,
    book,
    as = "subject",
    level,
    policy,
    writers,
    role,
    at,
  } = request.body as Shape<"DryRunQuestion">;
  const atMs = at === undefined ? edge.now() : parseTime(at, "/at");
  const run = requireValue(
    await dryRunRules(edge, {
      subject,
      context,
      book: book && parseBookField(book, "/book"),
      as,
      level,
      policy,
      writers,
      role,
      atMs,
    }),
  );
  const { pairs } = run;
  const count = (counts: (pair: JudgedPair) => boolean) =>
    pairs.filter((pair) => "before" in pair && counts(pair)).length;
  return jsonAnswer(
    200,
    {
      ...run.name,
      level: run.level,
      policy: run.policy,
      writers: run.writers,
      role: run.role,
      at: timestamp(atMs),
      summary: {
        pairs: pairs.length,
        undecided: pairs.filter((pair) => "problem" in pair).length,
        incompatible_before: count(({ before }) => !before.compatible),
        incompatible_after: count(({ after }) => !after.compatible),
        changed: count(({ acted }) => acted.length > 0),
      },
      idle: run.idle,
      items: pairs.map(pairJson),
    },
    provenance(run.asOf, "primary"),
  );
}

function pairJson({ from, to, ...verdict }: DryRunPair) {
  const version = ({ semver, versionNumber, id }: typeof from) => ({
    version: semver,
    version_number: versionNumber,
    id,
  });
  return { from: version(from), to: version(to), ...verdict };
}

function bookAnswer({ edge }: NativeRequest, { scope, book, asOf }: ScopedBook): Answer {
  return jsonAnswer<Shape<"RuleBook">>(
    200,
    { ...scopeJson(scope), ...bookJson(book, edge.now()) },
    provenance(asOf, "primary"),
  );
}

function scopedExceptionJson({ scope, exception }: ScopedException, nowMs: number) {
  return { ...scopeJson(scope), ...exceptionJson(exception, nowMs) };
}

function readRuleScope(request: NativeRequest): RuleScopeText {
  return { subject: request.path.subject, context: textParameter(request, "context") };
}
