/**
 * Promotes a version to another registry: its closure is sent as one change set, and the target judges it as it would any
 * other. The target is one of the operator's list, so no caller chooses an address.
 */
import { makeRefusal, type Refusal } from "../../../contract/errors.ts";
import { errorFields, logLine } from "../../../observe/log-line.ts";
import type { SchemaRecord } from "../../../registry/record.ts";
import { dataContractMembers } from "../../../registry/record-view.ts";
import { ok, type Result, refuse } from "../../../schema/result.ts";
import { printSubjectName } from "../../../schema/subject-name.ts";
import { toAccessTarget } from "../../access/access.ts";
import { denial } from "../../access/denial.ts";
import type { Edge } from "../../edge.ts";
import type { PromotionTarget } from "../../promotion-targets.ts";
import { isWrittenInJson } from "../read/content-text.ts";
import { readClosure } from "./promote.ts";
import type { RequestedChange } from "./requested-changes.ts";

/** Within the 10 s of an edge request, of which reading the closure takes some. */
const TARGET_DEADLINE_MS = 8_000;
/** Outcomes of 200 changes are below 100 KiB; a refusal with witnesses may be larger. */
const MAX_TARGET_ANSWER_BYTES = 4 * 1024 * 1024;
const RETRY_AFTER_SECONDS = 5;

type RemotePromotion = {
  subject: string;
  context: string | undefined;
  version: string;
  registry: string;
  toContext: string;
  message: string | null;
};

/** The target's answer: a change set made there, or its refusal as a problem. */
export type TargetAnswer = { registry: string; status: number; body: Record<string, unknown> };

export async function promoteRemotely(
  edge: Edge,
  { registry, message, ...promotion }: RemotePromotion,
  { idempotencyKey }: { idempotencyKey?: string | undefined },
): Promise<Result<TargetAnswer, Refusal>> {
  const target = edge.settings.promotionTargets.find(({ name, tenant }) => name === registry && tenant === edge.tenant);
  if (target === undefined) {
    const detail = `This registry promotes to no registry "${registry}": an operator lists targets in PROMOTION_TARGETS.`;
    return refuse(
      makeRefusal("UNPROCESSABLE", [detail], detail, {
        items: [{ pointer: "/to_registry", rule: "promotion", message: detail }],
      }),
    );
  }
  const closure = await readClosure(edge, promotion);
  if (!closure.ok) return closure;
  const { record, changes } = closure.value;
  // Sending is a write on behalf of the caller, although under the target's key.
  const mayPromote = edge.access === undefined || edge.access.allows("schema:write", toAccessTarget(record));
  if (!mayPromote) return refuse(denial(edge.access!, "schema:write", record));
  const from = `${printSubjectName(record)} version ${record.versionNumber}`;
  const body = printChangeSet(message ?? `Promotes ${from}.`, changes);
  return send(edge, target, body, idempotencyKey ?? edge.newId());
}

/** Texts are sent as they are stored, never parsed. */
function printChangeSet(message: string, changes: readonly RequestedChange[]): string {
  const printed = changes.flatMap((change) => (change.operation === "register" ? [printRegistration(change)] : []));
  return `{"message":${JSON.stringify(message)},"changes":[${printed.join(",")}]}`;
}

function printRegistration({ registration, references }: RequestedChange & { operation: "register" }): string {
  const { subject, context, format, dialect, contract, attributes, text } = registration;
  const content = isWrittenInJson(format) ? text : JSON.stringify(text);
  const fields = {
    operation: "register",
    subject,
    ...(context === undefined ? {} : { context }),
    format,
    ...(dialect === null ? {} : { dialect }),
    references: references.map(({ name, subject: of }) => ({ name, subject: of })),
    ...dataContractMembers(contract),
    ...presentAttributes(attributes),
  };
  return `${JSON.stringify(fields).slice(0, -1)},"content":${content}}`;
}

function presentAttributes(attributes: Partial<SchemaRecord["attributes"]>): object {
  return Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== null && value !== undefined));
}

async function send(
  edge: Edge,
  { name, url, key }: PromotionTarget,
  body: string,
  idempotencyKey: string,
): Promise<Result<TargetAnswer, Refusal>> {
  let answer: TargetAnswer;
  try {
    const response = await fetch(`${url}/api/v1/change-sets`, {
      method: "POST",
      headers: {
        Authorization: `Bearer ${key}`,
        "Content-Type": "application/json",
        "Idempotency-Key": idempotencyKey,
      },
      body,
      redirect: "manual",
      signal: AbortSignal.timeout(TARGET_DEADLINE_MS),
    });
    answer = { registry: name, status: response.status, body: await readAnswer(response) };
  } catch (error) {
    logLine("warn", "A registry to promote to could not be reached.", {
      tenant: edge.tenant,
      registry: name,
      ...errorFields(error),
    });
    return refuse(unavailable(`The registry "${name}" cannot be reached.`));
  }
  const { status } = answer;
  if (status === 401 || status === 403) {
    const detail = `The registry "${name}" refused the key of PROMOTION_TARGETS: ${String(answer.body.detail ?? status)}`;
    return refuse(makeRefusal("UNPROCESSABLE", [detail], detail));
  }
  const isAnswer = status === 200 || (status >= 400 && status < 500 && status !== 429);
  return isAnswer ? ok(answer) : refuse(unavailable(`The registry "${name}" answered ${status}.`));
}

async function readAnswer(response: Response): Promise<Record<string, unknown>> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of response.body ?? []) {
    bytes += part.byteLength;
    if (bytes > MAX_TARGET_ANSWER_BYTES) throw new Error("The answer is too large.");
    parts.push(part);
  }
  return JSON.parse(Buffer.concat(parts).toString("utf8")) as Record<string, unknown>;
}

function unavailable(what: string): Refusal {
  const detail = `${what} Repeat the promotion with the same Idempotency-Key: it is made once.`;
  return makeRefusal("NOT_READY", [detail], detail, { retryAfterSeconds: RETRY_AFTER_SECONDS });
}
