/** What a part of the benchmark is, and what it may use. Parts are listed in run.ts. */

export type Row = {
  what: string;
  value: number;
  unit: string;
  /** What the value should be, where something was aimed at. */
  aim?: { atLeast: number } | { atMost: number };
  note?: string;
};

export type Bench = {
  /** Smaller numbers of everything: to see that it runs, not to quote. */
  quick: boolean;
  /** Tells how far a long step is. */
  progress(text: string): void;
};

export type Part = { name: string; title: string; run(bench: Bench): Promise<Row[]> };

export function meets({ value, aim }: Row): boolean | undefined {
  if (aim === undefined) return undefined;
  return "atLeast" in aim ? value >= aim.atLeast : value <= aim.atMost;
}
