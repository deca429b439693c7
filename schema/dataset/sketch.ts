/**
 * Sketches of data: counts, types, quantiles and top values of each column, computed where the data is. Two are compared for
 * drift: structure exactly, distributions by PSI, Kolmogorov-Smirnov and Jensen-Shannon.
 */
import type { SchemaProblem } from "../format.ts";
import { pointerToken } from "../json-text.ts";

type ColumnSketch = {
  nulls: number;
  types: Readonly<Record<string, number>>;
  /** At equal steps from the minimum to the maximum. */
  quantiles?: readonly number[];
  top?: readonly { value: unknown; count: number }[];
};

export type Sketch = { rows: number; columns: Readonly<Record<string, ColumnSketch>> };

/** As a sketch counts them; null is counted apart. */
const TYPES: ReadonlySet<string> = new Set(["array", "boolean", "integer", "number", "object", "string"]);

/** The first figure that is impossible for any data. */
export function sketchProblem({ rows, columns }: Sketch): SchemaProblem | undefined {
  for (const [name, { nulls, types, quantiles = [], top = [] }] of Object.entries(columns)) {
    const pointer = `/columns/${pointerToken(name)}`;
    const impossible = (message: string, member: string) => ({
      rule: "impossible",
      message,
      pointer: `${pointer}${member}`,
    });
    const unknown = Object.keys(types).find((type) => !TYPES.has(type));
    if (unknown !== undefined) {
      return impossible(`"${unknown}" is not a type of JSON (expected ${[...TYPES].join(", ")}).`, "/types");
    }
    const typed = Object.values(types).reduce((sum, count) => sum + count, 0);
    if (nulls > rows) return impossible(`There are ${nulls} nulls in ${rows} rows.`, "/nulls");
    if (nulls + typed !== rows) {
      return impossible(`Nulls and types count ${nulls + typed} values in ${rows} rows.`, "/types");
    }
    if (quantiles.some((value, index) => index > 0 && value < quantiles[index - 1]!)) {
      return impossible("Quantiles do not ascend.", "/quantiles");
    }
    if (quantiles.some((value) => !Number.isFinite(value))) {
      return impossible("A quantile is not a finite number.", "/quantiles");
    }
    const numbers = (types.number ?? 0) + (types.integer ?? 0);
    if (quantiles.length > 0 && numbers === 0) return impossible("There are quantiles and no numbers.", "/quantiles");
    const values = new Set(top.map(({ value }) => JSON.stringify(value)));
    if (values.size < top.length) return impossible("A top value is listed twice.", "/top");
    const listed = top.reduce((sum, { count }) => sum + count, 0);
    if (listed > rows - nulls) return impossible(`Top values count ${listed} of ${rows - nulls} values.`, "/top");
  }
  return undefined;
}

/** The customary thresholds of PSI; those of KS and Jensen-Shannon are Evidently's for large samples. */
const PSI_MODERATE = 0.1;
const PSI_STRONG = 0.25;
const DISTANCE_STRONG = 0.1;

export type ColumnDrift = {
  column: string;
  /** The structural changes; empty if only the distribution drifted. */
  structure: readonly ("added" | "removed" | "types" | "nulls" | "values")[];
  null_rate: { before: number | null; after: number | null };
  psi: number | null;
  ks: number | null;
  jensen_shannon: number | null;
  drift: "none" | "moderate" | "strong";
};

/** A change of the share of nulls that counts as structure. */
const NULL_RATE_STEP = 0.05;

export function compareSketches(before: Sketch, after: Sketch): ColumnDrift[] {
  const names = [...new Set([...Object.keys(before.columns), ...Object.keys(after.columns)])].sort();
  return names.map((column) => {
    const earlier = Object.hasOwn(before.columns, column) ? before.columns[column] : undefined;
    const later = Object.hasOwn(after.columns, column) ? after.columns[column] : undefined;
    const nullRate = {
      before: earlier ? rate(earlier.nulls, before.rows) : null,
      after: later ? rate(later.nulls, after.rows) : null,
    };
    const structure = structureOf(earlier, later, nullRate);
    const bins = earlier && later ? sharedBins(earlier, later) : undefined;
    const psi = bins ? populationStability(bins) : null;
    const ks = earlier?.quantiles && later?.quantiles ? kolmogorovSmirnov(earlier.quantiles, later.quantiles) : null;
    const divergence = bins ? jensenShannon(bins) : null;
    const isStrong = (psi ?? 0) > PSI_STRONG || (ks ?? 0) > DISTANCE_STRONG || (divergence ?? 0) > DISTANCE_STRONG;
    const drift = structure.length > 0 || isStrong ? "strong" : (psi ?? 0) > PSI_MODERATE ? "moderate" : "none";
    return { column, structure, null_rate: nullRate, psi, ks, jensen_shannon: divergence, drift };
  });
}

function rate(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}

function structureOf(
  earlier: ColumnSketch | undefined,
  later: ColumnSketch | undefined,
  nullRate: ColumnDrift["null_rate"],
): ColumnDrift["structure"] {
  if (!earlier) return ["added"];
  if (!later) return ["removed"];
  const types = ({ types: counts }: ColumnSketch) =>
    Object.keys(counts)
      .filter((type) => counts[type]! > 0)
      .sort()
      .join();
  const known = new Set((earlier.top ?? []).map(({ value }) => JSON.stringify(value)));
  const isListed = known.size > 0 && listsAll(earlier);
  return [
    ...(types(earlier) === types(later) ? [] : ["types" as const]),
    ...(Math.abs((nullRate.after ?? 0) - (nullRate.before ?? 0)) > NULL_RATE_STEP ? ["nulls" as const] : []),
    // If all values were listed, an unlisted value is new.
    ...(isListed && (later.top ?? []).some(({ value }) => !known.has(JSON.stringify(value)))
      ? ["values" as const]
      : []),
  ];
}

function listsAll({ types, top = [] }: ColumnSketch): boolean {
  const listed = top.reduce((sum, { count }) => sum + count, 0);
  return listed > 0 && listed === Object.values(types).reduce((sum, count) => sum + count, 0);
}

type Bins = readonly (readonly [before: number, after: number])[];

/** Shares of the same bins in both: of top values if both list some, else of the earlier quantiles. */
function sharedBins(earlier: ColumnSketch, later: ColumnSketch): Bins | undefined {
  if (earlier.top?.length && later.top?.length) {
    const shares = (column: ColumnSketch) => {
      const total = Object.values(column.types).reduce((sum, count) => sum + count, 0);
      return new Map((column.top ?? []).map(({ value, count }) => [JSON.stringify(value), rate(count, total)]));
    };
    const [before, after] = [shares(earlier), shares(later)];
    const keys = [...new Set([...before.keys(), ...after.keys()])];
    const listed = keys.map((key) => [before.get(key) ?? 0, after.get(key) ?? 0] as const);
    const rest = (of: 0 | 1) => Math.max(0, 1 - listed.reduce((sum, pair) => sum + pair[of], 0));
    return [...listed, [rest(0), rest(1)]];
  }
  const { quantiles } = earlier;
  if (!quantiles || !later.quantiles) return undefined;
  const edges = [...new Set(quantiles)];
  return edges.slice(1).map((edge, index) => {
    const lower = index === 0 ? Number.NEGATIVE_INFINITY : edges[index]!;
    const upper = index === edges.length - 2 ? Number.POSITIVE_INFINITY : edge;
    const share = (values: readonly number[]) => Math.max(0, below(values, upper) - below(values, lower));
    return [share(quantiles), share(later.quantiles!)] as const;
  });
}

/** The share of values up to a number, by linear interpolation between quantiles. */
function below(quantiles: readonly number[], value: number): number {
  const last = quantiles.length - 1;
  if (value >= quantiles[last]!) return 1;
  if (value < quantiles[0]!) return 0;
  const index = quantiles.findLastIndex((quantile) => quantile <= value);
  const [low, high] = [quantiles[index]!, quantiles[index + 1]!];
  return (index + (high === low ? 1 : (value - low) / (high - low))) / last;
}

/** The share of an empty bin; with 0, one new value would make the drift infinite. */
const SMALLEST_SHARE = 0.0001;

function populationStability(bins: Bins): number {
  return bins.reduce((sum, pair) => {
    const [before, after] = pair.map((share) => Math.max(share, SMALLEST_SHARE)) as [number, number];
    return sum + (after - before) * Math.log(after / before);
  }, 0);
}

function kolmogorovSmirnov(before: readonly number[], after: readonly number[]): number {
  return Math.max(...[...before, ...after].map((value) => Math.abs(below(before, value) - below(after, value))));
}

function jensenShannon(bins: Bins): number {
  const divergence = (share: number, mean: number) => (share === 0 ? 0 : share * Math.log2(share / mean));
  const total = bins.reduce((sum, [before, after]) => {
    const mean = (before + after) / 2;
    return sum + (divergence(before, mean) + divergence(after, mean)) / 2;
  }, 0);
  return Math.sqrt(Math.max(0, total));
}
