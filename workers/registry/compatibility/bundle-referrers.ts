/** The referrers of a bundle's schemas, and their form if they referenced the new versions. */

import { makeRefusal, type Refusal } from "../../../contract/errors.ts";
import type { SchemaRecord } from "../../../registry/record.ts";
import { MAX_QUERY_ROWS } from "../../../registry/rpc.ts";
import type { ResolvedReference, SchemaSource } from "../../../schema/format.ts";
import { ok, type Result, refuse } from "../../../schema/result.ts";
import { parseSubjectName, printSubjectName, type SubjectName } from "../../../schema/subject-name.ts";
import type { Edge } from "../../edge.ts";
import { type BundleMembers, referredName } from "./bundle-members.ts";

/** Subjects that reference the bundle's, directly or indirectly. */
const MAX_REFERRING_SUBJECTS = 1_000;
/** Steps from a changed subject to an indirect referrer. */
export const MAX_REFERRING_STEPS = 32;

/** A subject's newest live version, and the subjects of the bundle it reaches. */
export type Referrer = { record: SchemaRecord; through: SubjectName[] };

/** By printed name. */
type Names = Map<string, SubjectName>;

/** The subjects outside a bundle whose newest version reaches one inside, nearest first. */
export async function findReferrers(
  edge: Edge,
  { all, bySubject }: BundleMembers,
): Promise<Result<Referrer[], Refusal>> {
  const found = new Map<string, { record: SchemaRecord; through: Names }>();
  let frontier = new Map<string, Names>(
    all.map(({ name }) => [printSubjectName(name), new Map([[printSubjectName(name), name]])]),
  );
  for (let step = 0; frontier.size > 0; step += 1) {
    if (step === MAX_REFERRING_STEPS) return refuse(tooMany());
    const names = [...frontier.keys()].map(parseSubjectName);
    const next = new Map<string, Names>();
    for (let at = 0; at < names.length; at += MAX_QUERY_ROWS) {
      const asked = { names: names.slice(at, at + MAX_QUERY_ROWS), limit: MAX_REFERRING_SUBJECTS };
      const answer = await edge.primary.read("referrersOf", asked);
      if (!answer.ok) return answer;
      if (answer.value.value.more) return refuse(tooMany());
      for (const { record, targets } of answer.value.value.referrers) {
        const printed = printSubjectName(record);
        if (bySubject.has(printed)) continue;
        const known = found.get(printed) ?? { record, through: new Map() };
        const before = known.through.size;
        for (const target of targets) {
          for (const [key, name] of frontier.get(printSubjectName(target)) ?? []) known.through.set(key, name);
        }
        found.set(printed, known);
        // Pass newly reached subjects on to its own referrers.
        if (known.through.size > before) next.set(printed, known.through);
        if (found.size > MAX_REFERRING_SUBJECTS) return refuse(tooMany());
      }
    }
    frontier = next;
  }
  return ok([...found.values()].map(({ record, through }) => ({ record, through: [...through.values()] })));
}

/** A registered schema's source in which the bundle's schemas replace the versions it references, directly or indirectly. */
export function withMembers({ bySubject }: BundleMembers, record: SchemaRecord, source: SchemaSource): SchemaSource {
  const built = new Map<SchemaSource, SchemaSource>();
  const build = (from: SchemaSource, context: string): SchemaSource => {
    const known = built.get(from);
    if (known) return known;
    const references: ResolvedReference[] = [];
    const copy: SchemaSource = { text: from.text, references };
    // Stored before its references are visited, so a cycle among contents ends at this object.
    built.set(from, copy);
    for (const reference of from.references) {
      const target = referredName(context, reference.subject);
      const member = bySubject.get(printSubjectName(target));
      references.push(
        member
          ? { ...reference, version: member.policy.nextNumber, source: member.source }
          : { ...reference, source: build(reference.source, target.context) },
      );
    }
    return copy;
  };
  return build(source, record.context);
}

function tooMany(): Refusal {
  const detail = `More than ${MAX_REFERRING_SUBJECTS} subjects reference the bundle's, or do so over more than ${MAX_REFERRING_STEPS} steps; check it in parts.`;
  return makeRefusal("TOO_COMPLEX", [detail], detail);
}
