/**
 * Computes facts in the primary, after the edge has tried twice and concurrent writes changed the state each time.
 * Limited by text size instead of time, because a Worker's clock does not advance during computation.
 */
import { inflateRawSync } from "node:zlib";
import type { Need } from "../../../registry/commands.ts";
import type { Closure } from "../../../registry/record.ts";
import type { ContentHash } from "../../../schema/content-hash.ts";
import type { Fact } from "../../../schema/facts.ts";
import { computeReading, computeVerdict } from "../../../schema/facts.ts";
import type { FormatName, JsonDialect, SchemaFormat } from "../../../schema/format.ts";
import { buildSource, type ClosureNodes, sourceOver } from "../../../schema/sources.ts";

/**
 * The maximum text that one commit may have the primary parse: 250 ms of work at the 16 MB/s that parsing and comparing
 * reach on a slow core.
 */
export const COMPUTE_BUDGET_BYTES = 4 * 1024 * 1024;

/** Returns the text of a content, or undefined if it was deleted. */
type ReadText = (hash: ContentHash) => Promise<string | undefined>;

export type CandidateText = { text: string };

export class WorkBudget {
  #left: number;

  constructor(bytes: number) {
    this.#left = bytes;
  }

  /** Whether the budget still covers this amount; if so, it is spent. */
  spend(bytes: number): boolean {
    if (bytes > this.#left) return false;
    this.#left -= bytes;
    return true;
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
      if (!budget.spend(text.length)) return false;
      texts.set(contentHash, text);
    }
    return true;
  };

  if (need.type === "reading") {
    if (!budget.spend(rawText.length)) return undefined;
    for (const closure of need.closures) if (!(await load(closure.nodes, null))) return undefined;
    const source = sourceOver(rawText, need.references, need.closures, texts);
    return {
      type: "reading",
      key: need.key,
      reading: computeReading(formatOf(need.request.format), source, need.request),
    };
  }

  const own = need.candidate === null ? null : need[need.candidate].root;
  if (own !== null && candidate) {
    if (!budget.spend(candidate.text.length)) return undefined;
    texts.set(own, candidate.text);
  }
  for (const { nodes } of [need.reader, need.writer]) if (!(await load(nodes, null))) return undefined;
  const side = ({ root, nodes }: Closure, dialect: JsonDialect | null) => ({
    source: buildSource(root, nodes, texts) ?? { text: "", references: [] },
    dialect,
  });
  const { reader, writer, request } = need;
  return {
    type: "verdict",
    key: need.key,
    comparison: computeVerdict(
      formatOf(need.format),
      side(reader, request.readerDialect),
      side(writer, request.writerDialect),
      request,
    ),
  };
}

export function inflateText(deflated: Uint8Array): string {
  return new TextDecoder().decode(inflateRawSync(deflated));
}
