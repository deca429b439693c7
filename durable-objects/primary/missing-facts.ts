/** Computes facts in the primary if the edge has requested it, from stored texts and within a budget. */
import { deflateRawSync } from "node:zlib";
import type { Need } from "../../registry/commands.ts";
import { fromHex } from "../../registry/log-entry.ts";
import type { ContentHash } from "../../schema/content-hash.ts";
import type { Fact } from "../../schema/facts.ts";
import type { FormatName, SchemaFormat } from "../../schema/format.ts";
import { type CandidateText, computeNeed, inflateText, type WorkBudget } from "./decide/compute.ts";
import type { TextDeletions } from "./state/text-deletions.ts";

type FactsHost = {
  bucket: Pick<R2Bucket, "get" | "put">;
  textKeyOf(hash: ContentHash): string;
  textDeletions: Pick<TextDeletions, "isUnderWay" | "cancel">;
  formatOf(name: FormatName): SchemaFormat<unknown>;
};

export class MissingFacts {
  readonly #sql: SqlStorage;
  readonly #host: FactsHost;

  constructor(sql: SqlStorage, host: FactsHost) {
    this.#sql = sql;
    this.#host = host;
  }

  /** Computes every fact of a round into `facts`; false if the budget is exhausted. */
  async compute(
    needs: readonly Need[],
    rawText: string,
    facts: Map<string, Fact>,
    budget: WorkBudget,
    storedTexts: Set<ContentHash> = new Set(),
  ): Promise<boolean> {
    const { bucket, textKeyOf, textDeletions, formatOf } = this.#host;
    const candidate = candidateText(facts);
    const readText = (hash: ContentHash) => this.#readText(hash);
    for (const need of needs) {
      if (need.type === "text") {
        // The reply to a running deletion cannot arrive while other events are blocked, so the caller retries.
        if (!candidate || textDeletions.isUnderWay(need.contentHash)) return false;
        textDeletions.cancel(need.contentHash);
        await bucket.put(textKeyOf(need.contentHash), deflateRawSync(Buffer.from(candidate.text, "utf8")));
        storedTexts.add(need.contentHash);
        continue;
      }
      const fact = await computeNeed(need, rawText, candidate, readText, budget, formatOf);
      if (!fact) return false;
      facts.set(fact.key, fact);
    }
    return true;
  }

  async #readText(hash: ContentHash): Promise<string | undefined> {
    const [row] = this.#sql
      .exec<{ deflated: ArrayBuffer | null }>("SELECT deflated FROM stored_texts WHERE content_hash = ?", fromHex(hash))
      .toArray();
    if (!row) return undefined;
    if (row.deflated) return inflateText(new Uint8Array(row.deflated));
    const object = await this.#host.bucket.get(this.#host.textKeyOf(hash));
    return object ? inflateText(new Uint8Array(await object.arrayBuffer())) : undefined;
  }
}

/** The newest reading is the requested one; an edge may also have sent one it predicted. */
function candidateText(facts: ReadonlyMap<string, Fact>): CandidateText | undefined {
  for (const fact of [...facts.values()].toReversed()) {
    if (fact.type === "reading" && fact.reading.ok) return { text: fact.reading.value.text };
  }
  return undefined;
}
