/**
 * Promotes a version to another context: it and everything it references are registered there as one change set, each judged
 * under the target's own levels, policies and rules.
 */

import { makeRefusal, type Refusal } from "../../../contract/errors.ts";
import { type ChangeOutcome, MAX_CHANGE_DEPTH, MAX_CHANGES } from "../../../registry/change-set.ts";
import type { AsOf } from "../../../registry/log-entry.ts";
import type { GraphSlice } from "../../../registry/questions.ts";
import type { SchemaRecord } from "../../../registry/record.ts";
import type { Caller } from "../../../registry/rpc.ts";
import type { GroupedPlans } from "../../../schema/plan-groups.ts";
import { ok, type Result, refuse } from "../../../schema/result.ts";
import { printSubjectName } from "../../../schema/subject-name.ts";
import type { Edge } from "../../edge.ts";
import { readBySelector } from "../read/read.ts";
import { parseContext } from "../read/subject-names.ts";
import { loadTexts } from "./facts.ts";
import { makeRequestedChanges, type RequestedChange } from "./requested-changes.ts";

type Promotion = {
  subject: string;
  context: string | undefined;
  version: string;
  toContext: string;
  message: string | null;
};

/** Outcomes in dependency order, so the promoted version is the last. */
type Promoted = {
  changeSet: string | null;
  outcomes: readonly ChangeOutcome[];
  plans: GroupedPlans | undefined;
  asOf: AsOf;
};

export async function promote(
  edge: Edge,
  caller: Caller,
  { subject, context, version, toContext, message }: Promotion,
  options: { idempotencyKey?: string | undefined },
): Promise<Result<Promoted, Refusal>> {
  const closure = await readClosure(edge, { subject, context, version, toContext });
  if (!closure.ok) return closure;
  const { record, changes, targetContext } = closure.value;
  if (record.context === targetContext) {
    return refuse(
      unprocessable("/to_context", `"${printSubjectName(record)}" is in the context "${toContext}" already.`),
    );
  }
  const from = `${printSubjectName(record)} version ${record.versionNumber}`;
  const set = { kind: "promotion", message: message ?? `Promotes ${from}.`, changes } as const;
  return makeRequestedChanges(edge, caller, set, options);
}

type ReadClosure = { record: SchemaRecord; targetContext: string; changes: RequestedChange[] };

/** A version and everything it references, as registrations in the target's context. */
export async function readClosure(
  edge: Edge,
  { subject, context, version, toContext }: Omit<Promotion, "message">,
): Promise<Result<ReadClosure, Refusal>> {
  const target = parseContext(toContext);
  if (!target.ok) return target;
  const found = await readBySelector(
    edge,
    { subject, context, version, deleted: false },
    { token: undefined, maxAgeMs: 0 },
  );
  if (!found.ok) return found;
  const { record } = found.value;
  const graph = { id: record.id, direction: "dependencies", depth: MAX_CHANGE_DEPTH, deleted: false } as const;
  const answer = await edge.primary.read("graph", graph);
  if (!answer.ok) return answer;
  const slice = answer.value.value;
  const problem = slice === null ? "The version was deleted meanwhile." : closureProblem(slice);
  if (slice === null || problem !== undefined) return refuse(unprocessable("/version", problem!));
  const changes = await registrations(edge, slice, target.value);
  return changes.ok ? ok({ record, targetContext: target.value, changes: changes.value }) : changes;
}

function closureProblem({ nodes, missing, frontier }: GraphSlice): string | undefined {
  const [lost] = missing;
  if (lost) return `It references version ${lost.version} of "${lost.subject}", which does not exist.`;
  if (frontier.length > 0 || nodes.length > MAX_CHANGES) {
    return `At most ${MAX_CHANGES} versions, ${MAX_CHANGE_DEPTH} references deep, are promoted at once: promote what it references first.`;
  }
  return undefined;
}

/** The deepest first. A reference of the closure means the version that is registered beside it. */
async function registrations(
  edge: Edge,
  { nodes, edges }: GraphSlice,
  context: string,
): Promise<Result<RequestedChange[], Refusal>> {
  const records = new Map(nodes.map(({ record }) => [record.id, record]));
  const texts = await loadTexts(
    edge,
    nodes.map(({ record }) => record.contentHash),
  );
  const changes: RequestedChange[] = [];
  for (const { record } of [...nodes].reverse()) {
    const text = texts.get(record.contentHash)?.text;
    if (text === undefined) return refuse(unprocessable("/version", "The version was deleted meanwhile."));
    const targets = new Map(
      edges.filter(({ from }) => from === record.id).map(({ name, to }) => [name, records.get(to)!]),
    );
    const hidden = record.references.find(({ name }) => !targets.has(name));
    if (hidden !== undefined) {
      const message = `"${printSubjectName(record)}" references "${hidden.subject}", which the credential may not read.`;
      return refuse(unprocessable("/version", message));
    }
    changes.push(registrationOf(record, text, targets, context));
  }
  return ok(changes);
}

function registrationOf(
  record: SchemaRecord,
  text: string,
  targets: ReadonlyMap<string, SchemaRecord>,
  context: string,
): RequestedChange {
  return {
    operation: "register",
    registration: {
      subject: record.subject,
      context,
      format: record.format,
      text,
      contract: record.contract,
      dialect: record.dialect,
      semver: null,
      compatibilityLevel: null,
      state: "active",
      attributes: record.attributes,
    },
    references: record.references.map(({ name }) => ({
      name,
      subject: printSubjectName({ context, subject: targets.get(name)!.subject }),
      version: undefined,
    })),
  };
}

function unprocessable(pointer: string, message: string): Refusal {
  return makeRefusal("UNPROCESSABLE", [message], `Nothing was promoted: ${message}`, {
    items: [{ pointer, rule: "promotion", message }],
  });
}
