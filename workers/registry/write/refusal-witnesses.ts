/** An incompatible registration is refused with what a check would show: data that the writer produces and the reader does not accept. */
import type { Refusal } from "../../../contract/errors.ts";
import type { Difference, WriterAssumption } from "../../../schema/compatibility.ts";
import type { Edge } from "../../edge.ts";
import {
  comparableSide,
  MAX_WITNESSES,
  type SchemaSide,
  type ShownDifference,
  shownDifferences,
} from "../compatibility/compare.ts";

/** The verdict as the primary puts it into its refusal. */
type RefusedVerdict = {
  writers: WriterAssumption;
  differences: readonly (Difference & { direction?: "backward" | "forward" })[];
  compared_versions: readonly { id: string }[];
};

/**
 * The refusal with witnesses, if it is one of an incompatible schema. Computed here and not in the primary: they cost far more
 * than the verdict, and only the caller who was refused waits for them.
 */
export async function withWitnesses(
  edge: Edge,
  refusal: Refusal,
  candidate: SchemaSide,
  context: string,
): Promise<Refusal> {
  const verdict = refusal.error === "INCOMPATIBLE_SCHEMA" ? (refusal.extra?.verdict as RefusedVerdict) : undefined;
  const [compared] = verdict?.compared_versions ?? [];
  if (verdict === undefined || compared === undefined) return refusal;
  const own = await comparableSide(edge, candidate, context);
  const earlier = await comparableSide(edge, { id: compared.id }, context);
  // The verdict stands without them, for example where the compared version was deleted a moment ago.
  if (!own.ok || !earlier.ok) return refusal;
  const left = { witnesses: MAX_WITNESSES };
  const shown = new Map<Difference, ShownDifference>();
  for (const direction of ["backward", "forward"] as const) {
    const differences = verdict.differences.filter((difference) => difference.direction === direction);
    const [reader, writer] = direction === "backward" ? [own.side, earlier.side] : [earlier.side, own.side];
    // The words are the role's already.
    const proven = shownDifferences(reader, writer, differences, { writers: verdict.writers, role: null, left });
    for (const [index, difference] of differences.entries()) shown.set(difference, proven[index]!);
  }
  const differences = verdict.differences.map((difference) => shown.get(difference) ?? difference);
  return { ...refusal, extra: { ...refusal.extra, verdict: { ...verdict, differences } } };
}
