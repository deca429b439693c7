/**
 * Adds to the refusal of an incompatible registration what a check would show: data that the writer produces and the
 * reader does not accept.
 */
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

/** The verdict in the form of the primary's refusal. */
type RefusedVerdict = {
  writers: WriterAssumption;
  differences: readonly (Difference & { direction?: "backward" | "forward" })[];
  compared_versions: readonly { id: string }[];
};

/**
 * The refusal with witnesses, if it is about an incompatible schema. Computed here instead of in the primary, because
 * witnesses take far longer than the verdict and only the refused caller waits for them.
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
  // The verdict remains valid without witnesses, for example if the compared version was deleted in the meantime.
  if (!own.ok || !earlier.ok) return refusal;
  const left = { witnesses: MAX_WITNESSES };
  const shown = new Map<Difference, ShownDifference>();
  for (const direction of ["backward", "forward"] as const) {
    const differences = verdict.differences.filter((difference) => difference.direction === direction);
    const [reader, writer] = direction === "backward" ? [own.value, earlier.value] : [earlier.value, own.value];
    // The messages already use the role's words.
    const proven = await shownDifferences(edge, reader, writer, differences, {
      writers: verdict.writers,
      role: null,
      left,
    });
    for (const [index, difference] of differences.entries()) shown.set(difference, proven[index]!);
  }
  const differences = verdict.differences.map((difference) => shown.get(difference) ?? difference);
  return { ...refusal, extra: { ...refusal.extra, verdict: { ...verdict, differences } } };
}
