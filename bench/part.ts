/** The interface of a part of the benchmark. Parts are listed in run.ts. */

export type Row = {
  what: string;
  value: number;
  unit: string;
  /** The target value, if there is one. */
  aim?: { atLeast: number } | { atMost: number };
  note?: string;
};

export type Bench = {
  /** Smaller sizes of everything: checks that the part runs; the results are not meaningful. */
  quick: boolean;
  /** Duration of parts that run for a fixed time; undefined: the part's own default. */
  minutes?: number | undefined;
  /** Reports the progress of a long step. */
  progress(text: string): void;
};

export type BenchPart = { name: string; title: string; run(bench: Bench): Promise<Row[]> };

export function meets({ value, aim }: Row): boolean | undefined {
  if (aim === undefined) return undefined;
  return "atLeast" in aim ? value >= aim.atLeast : value <= aim.atMost;
}
