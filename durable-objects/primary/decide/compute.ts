/**
 * Computes facts in the primary, after the edge has tried twice and concurrent writes changed the state each time.
 * Limited by counted work instead of measured time, because a Worker's clock does not advance during computation.
 */
import { inflateRawSync } from "node:zlib";
import type { Need } from "../../../registry/commands.ts";
import { NATIVE_HASHES } from "../../../registry/native-hashes.ts";
import type { Closure } from "../../../registry/record.ts";
import type { ContentHash } from "../../../schema/content-hash.ts";
import type { Fact } from "../../../schema/facts.ts";
import { computeReadingInSlices, computeVerdictInSlices } from "../../../schema/facts.ts";
import type { FormatName, JsonDialect, SchemaFormat } from "../../../schema/format.ts";
import { passesMicros, type Sliced } from "../../../schema/slices.ts";
import { buildSource, type ClosureNodes, sourceOver } from "../../../schema/sources.ts";

/**
 * The maximum CPU time that one command may use in the primary, in microseconds of the slowest core in use, because all
 * other requests of the tenant wait.
 */
export const COMPUTE_BUDGET_MICROS = 250_000;

/** Returns the text of a content, or undefined if it was deleted. */
type ReadText = (hash: ContentHash) => Promise<string | undefined>;

export type CandidateText = { text: string };

export class WorkBudget {
  #leftMicros: number;

  constructor(micros: number) {
    this.#leftMicros = micros;
  }

  /** Spends an amount; false if the budget does not cover it. */
  spend(micros: number): boolean {
    this.#leftMicros -= micros;
    return this.#leftMicros >= 0;
  }

  /** Runs a computation to its end, or abandons it after the slice that exhausts the budget. */
  run<T extends object>(sliced: Sliced<T>): T | undefined {
    for (;;) {
      const { done, value } = sliced.next();
      if (done) return value;
      if (!this.spend(value)) return undefined;
    }
  }
}

/**
 * The fact for a need, or undefined if the budget is exhausted. `candidate` is the text being registered, once its
 * reading is known.
 */
export async function computeNeed(
  need: Exclude<Need, { type: "text" }>,
  rawText: string,
  candidate: CandidateText | undefined,
  readText: ReadText,
  budget: WorkBudget,
  formatOf: (name: FormatName) => SchemaFormat<unknown>,
): Promise<Fact | undefined> {
  const texts = new Map<ContentHash, string>();
  const load = async (nodes: ClosureNodes, skip: ContentHash | null): Promise<boolean> => {
    for (const { contentHash } of nodes) {
      if (texts.has(contentHash) || contentHash === skip) continue;
      const text = await readText(contentHash);
      if (text === undefined) continue;
      if (!budget.spend(passesMicros(text.length))) return false;
      texts.set(contentHash, text);
    }
    return true;
  };

  if (need.type === "reading") {
    for (const closure of need.closures) if (!(await load(closure.nodes, null))) return undefined;
    const source = sourceOver(rawText, need.references, need.closures, texts);
    const reading = budget.run(
      computeReadingInSlices(formatOf(need.request.format), source, need.request, NATIVE_HASHES),
    );
    return reading && { type: "reading", key: need.key, reading };
  }

  const own = need.candidate === null ? null : need[need.candidate].root;
  if (own !== null && candidate) texts.set(own, candidate.text);
  for (const { nodes } of [need.reader, need.writer]) if (!(await load(nodes, null))) return undefined;
  const side = ({ root, nodes }: Closure, dialect: JsonDialect | null) => ({
    source: buildSource(root, nodes, texts) ?? { text: "", references: [] },
    dialect,
  });
  const { reader, writer, request } = need;
  const comparison = budget.run(
    computeVerdictInSlices(
      formatOf(need.format),
      side(reader, request.readerDialect),
      side(writer, request.writerDialect),
      request,
    ),
  );
  return comparison && { type: "verdict", key: need.key, comparison };
}

export function inflateText(deflated: Uint8Array): string {
  return new TextDecoder().decode(inflateRawSync(deflated));
}
