/** Sorts the changes of a request into an order in which each can be applied, and links references between them. */

import { makeRefusal, type Refusal } from "../../../contract/errors.ts";
import {
  type Change,
  type ChangeOutcome,
  type ChangeSetKind,
  MAX_CHANGE_DEPTH,
  type RegisterChange,
} from "../../../registry/change-set.ts";
import type { AsOf } from "../../../registry/log-entry.ts";
import type { Caller } from "../../../registry/rpc.ts";
import type { GroupedPlans } from "../../../schema/plan-groups.ts";
import { ok, type Result, refuse } from "../../../schema/result.ts";
import { printSubjectName, type SubjectName } from "../../../schema/subject-name.ts";
import type { Edge } from "../../edge.ts";
import { referredName } from "../compatibility/bundle-members.ts";
import { parseSubject } from "../read/subject-names.ts";
import { commitChanges } from "./changes.ts";
import { proposeInstead } from "./proposals.ts";
import { type Registration, registerCommand } from "./register.ts";

/** Without a version: the version that the set registers in that subject. */
type ChangeReference = { name: string; subject: string; version: number | "latest" | undefined };

export type RequestedChange =
  | { operation: "register"; registration: Omit<Registration, "references">; references: readonly ChangeReference[] }
  | {
      operation: "delete";
      subject: string;
      context: string | undefined;
      /** Null: the whole subject. */
      versionNumber: number | "latest" | null;
      permanent: boolean;
    }
  | { operation: "delete"; id: string; permanent: boolean }
  | { operation: "activate" | "undelete"; id: string };

type ChangesMade = {
  changeSet: string | null;
  outcomes: ChangeOutcome[];
  plans: GroupedPlans | undefined;
  asOf: AsOf;
};

/** Applies all changes or none; outcomes and refusals identify the changes by their index in the request. */
export async function makeRequestedChanges(
  edge: Edge,
  caller: Caller,
  {
    kind,
    message,
    changes: requested,
  }: { kind: ChangeSetKind; message: string | null; changes: readonly RequestedChange[] },
  options: { idempotencyKey?: string | undefined },
): Promise<Result<ChangesMade, Refusal>> {
  const changes = orderChanges(requested);
  if (!changes.ok) return changes;
  const command = { type: "makeChanges", kind, message, changes: changes.value.map(({ change }) => change) } as const;
  const committed = await commitChanges(edge, caller, command, options);
  if (!committed.ok) {
    const refusal = await proposeInstead(edge, caller, committed.refusal, command.changes);
    return refuse(inRequest(refusal, changes.value));
  }
  const outcomes: ChangeOutcome[] = [];
  for (const [index, outcome] of committed.value.outcomes.entries()) outcomes[changes.value[index]!.place] = outcome;
  return ok({ ...committed.value, outcomes });
}

/** A change and its index in the request. */
type PlacedChange = { place: number; change: Change };

type Node = {
  place: number;
  change: Change;
  references: readonly ChangeReference[];
  /** Indexes of the changes that must be applied before it. */
  after: Set<number>;
  depth: number;
};

export function orderChanges(requested: readonly RequestedChange[]): Result<PlacedChange[], Refusal> {
  const nodes: Node[] = [];
  for (const [place, request] of requested.entries()) {
    const change = parseChange(request);
    if (!change.ok) return refuse(placed(change.refusal, place));
    const references = request.operation === "register" ? request.references : [];
    nodes.push({ place, change: change.value, references, after: new Set(), depth: 0 });
  }
  const registered = new Map<string, Node[]>();
  for (const node of nodes) {
    if (node.change.type !== "register") continue;
    const subject = printSubjectName(node.change.name);
    const earlier = registered.get(subject) ?? [];
    // Versions of one subject keep the order of the request.
    const previous = earlier.at(-1);
    if (previous) node.after.add(previous.place);
    registered.set(subject, [...earlier, node]);
  }
  const own = new Map<number, { reference: number; place: number }[]>();
  for (const node of nodes) {
    const links: { reference: number; place: number }[] = [];
    for (const [reference, asked] of node.references.entries()) {
      const target = ownTarget(registered, node, reference, asked);
      if (target === undefined) continue;
      if (!target.ok) return target;
      node.after.add(target.value.place);
      if (typeof asked.version !== "number") links.push({ reference, place: target.value.place });
    }
    own.set(node.place, links);
  }
  const sorted = sortNodes(nodes);
  if (!sorted.ok) return sorted;
  const indexOf = new Map(sorted.value.map(({ place }, index) => [place, index]));
  const ordered = sorted.value.map(({ place, change }) => {
    const links = own.get(place) ?? [];
    if (links.length === 0 || change.type !== "register") return { place, change };
    const ownReferences = links.map((link) => ({ reference: link.reference, change: indexOf.get(link.place)! }));
    return { place, change: { ...change, ownReferences } };
  });
  return ok(ordered);
}

function parseChange(request: RequestedChange): Result<Change, Refusal> {
  if (request.operation === "register") {
    const references = request.references.map(({ name, subject, version }) => ({
      name,
      subject,
      version: typeof version === "number" ? version : -1,
    }));
    return registerCommand({ ...request.registration, references });
  }
  if (request.operation === "delete") {
    const { permanent } = request;
    if ("id" in request) return ok({ type: "deleteRecord", id: request.id, permanent, ifMatchSeq: null });
    const parsed = parseSubject(request.subject, request.context);
    if (!parsed.ok) return parsed;
    const { versionNumber } = request;
    return versionNumber === null
      ? ok({ type: "deleteSubject", name: parsed.value, permanent })
      : ok({ type: "deleteVersion", name: parsed.value, versionNumber, permanent });
  }
  return request.operation === "activate"
    ? ok({ type: "activate", id: request.id, reason: null, ifMatchSeq: null })
    : ok({ type: "undelete", id: request.id });
}

/** The change that a reference depends on, if the set registers that subject. */
function ownTarget(
  registered: ReadonlyMap<string, readonly Node[]>,
  { place, change }: Node,
  reference: number,
  { subject, version }: ChangeReference,
): Result<Node, Refusal> | undefined {
  const name: SubjectName = referredName((change as RegisterChange).name.context, subject);
  const printed = printSubjectName(name);
  const targets = registered.get(printed) ?? [];
  const pointer = `/changes/${place}/references/${reference}`;
  if (targets.length > 1 && typeof version !== "number") {
    const detail = `The set registers ${targets.length} versions of "${printed}": select one by its number.`;
    return refuse(misplaced(pointer, "ambiguous_reference", detail));
  }
  const target = targets.findLast((other) => other.place !== place);
  if (target === undefined) {
    if (version !== undefined) return undefined;
    return refuse(
      misplaced(pointer, "reference_not_found", `The set registers no version of "${printed}"; give a version.`),
    );
  }
  if ((target.change as RegisterChange).state === "draft" && version === undefined) {
    return refuse(
      misplaced(pointer, "reference_not_found", `"${printed}" is registered as a draft, which has no version.`),
    );
  }
  return ok(target);
}

/** Depth-first, so that independent changes keep their order. */
function sortNodes(nodes: readonly Node[]): Result<Node[], Refusal> {
  const sorted: Node[] = [];
  const state = new Map<number, "open" | "done">();
  const visit = (node: Node): Refusal | undefined => {
    if (state.get(node.place) === "done") return undefined;
    if (state.get(node.place) === "open") {
      const detail = "The references of the set's schemas are circular.";
      return misplaced(`/changes/${node.place}/references`, "reference_cycle", detail);
    }
    state.set(node.place, "open");
    node.depth = 1;
    for (const place of node.after) {
      const before = nodes[place]!;
      const refusal = visit(before);
      if (refusal) return refusal;
      node.depth = Math.max(node.depth, before.depth + 1);
    }
    if (node.depth > MAX_CHANGE_DEPTH) {
      const detail = `A chain of more than ${MAX_CHANGE_DEPTH} dependent changes cannot be applied in one set.`;
      return misplaced(`/changes/${node.place}`, "too_deep", detail);
    }
    state.set(node.place, "done");
    sorted.push(node);
    return undefined;
  };
  for (const node of nodes) {
    const refusal = visit(node);
    if (refusal) return refuse(refusal);
  }
  return ok(sorted);
}

/** A refusal by the primary, which numbers the changes in the order of application. */
export function inRequest(refusal: Refusal, changes: readonly PlacedChange[]): Refusal {
  const index = refusal.extra?.change;
  const change = typeof index === "number" ? changes[index] : undefined;
  if (change === undefined) return refusal;
  const located = placed(refusal, change.place);
  return { ...located, extra: { ...refusal.extra, change: change.place } };
}

function placed(refusal: Refusal, place: number): Refusal {
  const items = refusal.items ?? [{ message: refusal.detail }];
  return {
    ...refusal,
    detail: `Nothing was changed because change ${place} was refused: ${refusal.detail}`,
    items: items.map((item) => ({ ...item, pointer: `/changes/${place}${item.pointer ?? ""}` })),
  };
}

function misplaced(pointer: string, rule: string, message: string): Refusal {
  return makeRefusal("UNPROCESSABLE", [message], `Nothing was changed: ${message}`, {
    items: [{ pointer, rule, message }],
  });
}
