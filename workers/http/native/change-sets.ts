/** `/change-sets`: many changes applied together or not at all, and past change sets. */

import { makeRefusal } from "../../../contract/errors.ts";
import type { ChangeOutcome, ChangeSet } from "../../../registry/change-set.ts";
import { timestamp } from "../../../registry/record-view.ts";
import type { JsonArray, JsonObject } from "../../../schema/json-text.ts";
import type { GroupedPlans } from "../../../schema/plan-groups.ts";
import { inCallersText } from "../../registry/read/content-text.ts";
import { readSubjectFormat } from "../../registry/read/read.ts";
import { promote } from "../../registry/write/promote.ts";
import { promoteRemotely, type TargetAnswer } from "../../registry/write/promote-remotely.ts";
import { makeRequestedChanges, type RequestedChange } from "../../registry/write/requested-changes.ts";
import { type Answer, jsonAnswer, provenance } from "../answer.ts";
import { RegistryError, requireValue } from "../errors.ts";
import { idempotencyKey, printContentText, requestedAttributes, requestedDataContract } from "./fields.ts";
import type { NativeRequest } from "./request.ts";
import type { Shape } from "./shapes.ts";

type ChangeField = Shape<"ChangeSetRequest">["changes"][number];
type RegistrationField = ChangeField & { operation: "register" };

export async function postChangeSet(request: NativeRequest): Promise<Answer> {
  const { edge, caller } = request;
  const { message = null } = request.body as Shape<"ChangeSetRequest">;
  const { changes, rewritten } = await readChanges(request);
  const made = await makeRequestedChanges(edge, caller, { kind: "bulk", message, changes }, idempotencyKey(request));
  if (!made.ok) {
    const { refusal } = made;
    const { change } = (refusal.extra ?? {}) as { change?: number };
    const isRewritten = change !== undefined && rewritten.has(change);
    throw new RegistryError(
      refusal.items ? { ...refusal, items: inCallersText(refusal.items, { isRewritten }) } : refusal,
    );
  }
  return jsonAnswer(200, changesJson(made.value), provenance(made.value.asOf, "primary"));
}

export async function postPromotion(request: NativeRequest): Promise<Answer> {
  const { edge, caller } = request;
  const {
    subject,
    context,
    version,
    to_registry: registry,
    to_context: toContext,
    message = null,
  } = request.body as Shape<"PromotionRequest">;
  if (registry !== undefined) {
    const wanted = { subject, context, version: String(version), registry, toContext: toContext ?? ".", message };
    return targetAnswer(requireValue(await promoteRemotely(edge, wanted, idempotencyKey(request))), caller.requestId);
  }
  if (toContext === undefined) {
    const detail = "A promotion needs a target: to_context, to_registry, or both.";
    const items = [{ pointer: "/to_context", rule: "required", message: detail }];
    throw new RegistryError(makeRefusal("BAD_REQUEST", [detail], detail, { items }));
  }
  const promotion = { subject, context, version: String(version), toContext, message };
  const promoted = requireValue(await promote(edge, caller, promotion, idempotencyKey(request)));
  return jsonAnswer(200, changesJson(promoted), provenance(promoted.asOf, "primary"));
}

/** What the target has made, or its problem, whose proposal is at the target. */
function targetAnswer({ registry, status, body }: TargetAnswer, requestId: string): Answer {
  if (status === 200) return jsonAnswer(200, { ...body, registry }, {});
  return {
    status,
    headers: { "Content-Type": "application/problem+json" },
    body: JSON.stringify({ ...body, registry, instance: requestId }),
  };
}

export async function getChangeSets({ edge, query }: NativeRequest): Promise<Answer> {
  const limit = query.limit as number;
  const before = query.before === undefined ? Number.MAX_SAFE_INTEGER : (query.before as number);
  const { asOf, value } = requireValue(await edge.primary.read("changeSets", { before, limit: limit + 1 }));
  const items = value.slice(0, limit);
  const next = value.length > limit ? { next_before: items.at(-1)!.lastSeq } : {};
  return jsonAnswer(200, { items: items.map(changeSetJson), ...next }, provenance(asOf, "primary"));
}

export async function getChangeSet({ edge, path }: NativeRequest): Promise<Answer> {
  const id = path.change_set!;
  const { asOf, value } = requireValue(await edge.primary.read("changeSet", { id }));
  if (value === null) {
    throw new RegistryError(makeRefusal("CHANGE_SET_NOT_FOUND", [id], `There is no change set with id ${id}.`));
  }
  const { plans } = value;
  const body = { ...changeSetJson(value), ...(plans === undefined ? {} : { plans }) };
  return jsonAnswer(200, body, provenance(asOf, "primary"));
}

/** The changes, and the locations of those whose text this server wrote from a JSON value. */
export async function readChanges(
  request: NativeRequest,
): Promise<{ changes: RequestedChange[]; rewritten: ReadonlySet<number> }> {
  const { changes: fields } = request.body as Shape<"ChangeSetRequest">;
  const trees = request.tree!.members.get("changes") as JsonArray;
  const changes: RequestedChange[] = [];
  const rewritten = new Set<number>();
  for (const [place, field] of fields.entries()) {
    if (field.operation === "register") {
      const tree = trees.items[place] as JsonObject;
      const { change, isRewritten } = await readRegistration(request, field, tree, place, fields);
      if (isRewritten) rewritten.add(place);
      changes.push(change);
      continue;
    }
    changes.push(field.operation === "delete" ? readDelete(request, field, place) : field);
  }
  return { changes, rewritten };
}

async function readRegistration(
  { edge }: NativeRequest,
  field: RegistrationField,
  tree: JsonObject,
  place: number,
  fields: readonly ChangeField[],
): Promise<{ change: RequestedChange; isRewritten: boolean }> {
  const { subject, context } = field;
  const sibling = fields.find(
    (other) => other.operation === "register" && other.subject === subject && other.format !== undefined,
  ) as RegistrationField | undefined;
  const format = field.format ?? sibling?.format ?? requireValue(await readSubjectFormat(edge, { subject, context }));
  const content = printContentText(format, tree, `/changes/${place}`);
  return {
    isRewritten: content.isRewritten,
    change: {
      operation: "register",
      registration: {
        subject,
        context,
        format,
        text: content.text,
        contract: requestedDataContract(field.contract),
        dialect: field.dialect ?? null,
        semver: field.version ?? null,
        compatibilityLevel: field.compatibility_level ?? null,
        state: field.state ?? "active",
        attributes: requestedAttributes(field),
      },
      references: (field.references ?? []).map(({ name, subject: of, version }) => ({ name, subject: of, version })),
    },
  };
}

function readDelete(
  { actor }: NativeRequest,
  field: ChangeField & { operation: "delete" },
  place: number,
): RequestedChange {
  if (!actor.permissions.has("schema:delete")) {
    const detail = `Change ${place} is a delete, but the credential lacks "schema:delete".`;
    throw new RegistryError(
      makeRefusal("FORBIDDEN", [], detail, {
        items: [{ pointer: `/changes/${place}`, rule: "permission", message: detail }],
      }),
    );
  }
  const permanent = field.permanent ?? false;
  if ("id" in field) return { operation: "delete", id: field.id, permanent };
  const { subject, context, version_number: versionNumber = null } = field;
  return { operation: "delete", subject, context, versionNumber, permanent };
}

type Changes = { changeSet: string | null; outcomes: readonly ChangeOutcome[]; plans: GroupedPlans | undefined };

export function changesJson({ changeSet, outcomes, plans }: Changes) {
  return {
    change_set: changeSet,
    changes: outcomes.map(outcomeJson),
    ...(plans === undefined ? {} : { plans }),
  };
}

function outcomeJson(outcome: ChangeOutcome) {
  if (outcome.type === "deleted") return { result: "deleted", ids: outcome.records, version_numbers: outcome.versions };
  const { created, id, context, subject, versionNumber, semver, confluentId, state, seq } = outcome;
  return {
    result: outcome.type === "record" ? "changed" : created ? "registered" : "unchanged",
    id,
    context,
    subject,
    version: semver,
    version_number: versionNumber,
    confluent_id: confluentId,
    state,
    seq,
  };
}

function changeSetJson({ id, kind, message, proposal, firstSeq, lastSeq, atMs, actor }: ChangeSet) {
  return { id, kind, message, proposal, first_seq: firstSeq, last_seq: lastSeq, at: timestamp(atMs), actor };
}
