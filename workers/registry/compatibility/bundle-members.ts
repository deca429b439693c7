/** The schemas of a bundle, and their references to each other and to registered schemas. */
import type { Refusal } from "../../../contract/errors.ts";
import type { ComparedVersion, SubjectPolicy } from "../../../registry/questions.ts";
import type { RequestedReference, SchemaRecord } from "../../../registry/record.ts";
import type { FormatName, JsonDialect, ResolvedReference, SchemaProblem } from "../../../schema/format.ts";
import { buildSource } from "../../../schema/sources.ts";
import { isQualified, parseSubjectName, printSubjectName, type SubjectName } from "../../../schema/subject-name.ts";
import type { Edge } from "../../edge.ts";
import { loadTexts } from "../write/facts.ts";
import type { HeldSchema } from "./judge.ts";

/** Direct references per query to the primary. */
const RESOLVED_TOGETHER = 100;

/** A reference to a registered schema or, without a version, to a schema of the bundle by subject or name. */
export type BundleReference = { name: string; subject: string | undefined; version: number | "latest" | undefined };

/** A schema of the bundle. Its source object exists before its references are resolved, so that other schemas can refer to it. */
export type Member = {
  name: SubjectName;
  policy: SubjectPolicy;
  versions: readonly ComparedVersion[];
  /** Whether there are more versions to compare with than were read. */
  more: boolean;
  /** The newest live version, whether or not the level compares with it. */
  newest: SchemaRecord | undefined;
  format: FormatName;
  dialect: JsonDialect | undefined;
  source: { text: string; references: ResolvedReference[] };
  errors: SchemaProblem[];
  schema: HeldSchema | undefined;
};

/** The members by the names that references may use. */
export type BundleMembers = {
  all: readonly Member[];
  bySubject: ReadonlyMap<string, Member>;
  byName: ReadonlyMap<string, Member>;
};

type Registered = { member: Member; at: number; reference: RequestedReference };

/**
 * Resolves every member's references: members by identity, registered schemas as they are. An unresolved reference is an
 * error of the member.
 */
export async function linkReferences(
  edge: Edge,
  members: BundleMembers,
  referencesOf: (index: number) => readonly BundleReference[],
): Promise<Refusal | undefined> {
  const registered: Registered[] = [];
  for (const [index, member] of members.all.entries()) {
    for (const [at, reference] of referencesOf(index).entries()) {
      const target = ownTarget(members, member, reference);
      const { name, subject, version } = reference;
      if (target) {
        const asked = { name, subject: printSubjectName(target.name), version: target.policy.nextNumber };
        member.source.references[at] = { ...asked, source: target.source };
      } else if (subject === undefined || version === undefined) {
        const what = subject === undefined ? `named "${name}"` : `of subject "${subject}"`;
        member.errors.push(notFound(at, `The bundle has no schema ${what}.`));
      } else {
        registered.push({ member, at, reference: { name, subject, version: version === "latest" ? -1 : version } });
      }
    }
  }
  for (let at = 0; at < registered.length; ) {
    const { context } = registered[at]!.member.name;
    const ofContext = registered.slice(at, at + RESOLVED_TOGETHER);
    const other = ofContext.findIndex(({ member }) => member.name.context !== context);
    const together = other === -1 ? ofContext : ofContext.slice(0, other);
    const refusal = await resolveTogether(edge, context, together);
    if (refusal) return refusal;
    at += together.length;
  }
  // Unresolved references left holes in the list.
  for (const { source } of members.all) source.references = source.references.filter((found) => found !== undefined);
  return undefined;
}

/** Resolves references of one context together, repeating the query without those that are missing. */
async function resolveTogether(
  edge: Edge,
  context: string,
  together: readonly Registered[],
): Promise<Refusal | undefined> {
  let open = together;
  while (open.length > 0) {
    const references = open.map(({ reference }) => reference);
    const answer = await edge.primary.read("resolveReferences", { context, references, deleted: false });
    if (!answer.ok) return answer.refusal;
    if ("missing" in answer.value.value) {
      const { subject, version } = answer.value.value.missing;
      const lost = new Set<Member>();
      for (const { member, at, reference } of open) {
        if (reference.subject !== subject || reference.version !== version) continue;
        lost.add(member);
        member.errors.push(notFound(at, `No schema reference found for subject "${subject}" and version ${version}`));
      }
      // A member with a missing reference is invalid anyway, so at most one query per schema fails.
      open = open.filter(({ member }) => !lost.has(member));
      continue;
    }
    const { resolved, closures } = answer.value.value;
    const texts = await loadTexts(
      edge,
      closures.flatMap(({ nodes }) => nodes.map(({ contentHash }) => contentHash)),
    );
    const plain = new Map([...texts].map(([hash, { text }]) => [hash, text]));
    for (const [index, { member, at }] of open.entries()) {
      const closure = closures[index]!;
      const source = buildSource(closure.root, closure.nodes, plain);
      if (source) member.source.references[at] = { ...resolved[index]!, source };
    }
    return undefined;
  }
  return undefined;
}

/** The member that a reference means: by name, by subject, or by the version number it would get. */
function ownTarget(
  { bySubject, byName }: BundleMembers,
  member: Member,
  { name, subject, version }: BundleReference,
): Member | undefined {
  if (subject === undefined) return byName.get(name);
  const target = bySubject.get(printSubjectName(referredName(member.name.context, subject)));
  if (!target) return undefined;
  return version === undefined || version === "latest" || version === target.policy.nextNumber ? target : undefined;
}

/** An unqualified reference is resolved in the referring subject's context. */
export function referredName(context: string, subject: string): SubjectName {
  return isQualified(subject) ? parseSubjectName(subject) : { context, subject };
}

function notFound(at: number, message: string): SchemaProblem {
  return { rule: "reference_not_found", message, pointer: `/references/${at}` };
}
