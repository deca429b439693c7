/**
 * Finds texts in R2 that no commit references: an edge uploads a large text before the commit, and a refusal or a crash
 * in between leaves it there. They are deleted like all others (text-deletions.ts), so a concurrent commit that needs
 * the text either references it first or learns that it is missing.
 */
import { fromHex } from "../../../registry/log-entry.ts";
import type { TextSweepAnswer } from "../../../registry/rpc.ts";
import { contentHashOfKey, textKeyPrefix } from "../../../registry/text-key.ts";
import type { ContentHash } from "../../../schema/content-hash.ts";
import type { RememberedNumbers } from "../../remembered-numbers.ts";
import type { TextDeletions } from "./text-deletions.ts";

/** Objects checked per run: one page of an R2 listing, and as many short reads of one index. */
export const MAX_SWEPT_TEXTS = 1_000;
/** A commit references a text within seconds of its upload. An hour leaves room for clock differences. */
export const MIN_SWEPT_AGE_MS = 60 * 60 * 1_000;
/**
 * Digits of the last hash that are stored as the cursor: a number holds 53 bits, and no page has that many keys with a
 * common prefix.
 */
const CURSOR_DIGITS = 12;

type SweepHost = {
  sql: SqlStorage;
  bucket: Pick<R2Bucket, "list">;
  /** `text_sweep`: where the next run continues; absent for the start. */
  marks: RememberedNumbers<"text_sweep">;
  deletions: Pick<TextDeletions, "addUnlessKnown">;
  tenant(): string;
  /** A restore uploads texts long before it references them. */
  isRestoring(): boolean;
};

export class TextSweep {
  readonly #host: SweepHost;

  constructor(host: SweepHost) {
    this.#host = host;
  }

  /**
   * Checks the next texts of the bucket and schedules the deletion of old unreferenced ones. Two concurrent runs do no
   * harm.
   */
  async run(nowMs: number): Promise<TextSweepAnswer> {
    const { bucket, marks } = this.#host;
    const prefix = textKeyPrefix(this.#host.tenant());
    const reached = marks.get("text_sweep");
    const page = await bucket.list({
      prefix,
      limit: MAX_SWEPT_TEXTS,
      ...(reached > 0 && { startAfter: prefix + reached.toString(16).padStart(CURSOR_DIGITS, "0") }),
    });
    // No await from here on: references and restores cannot change until the deletions are recorded.
    if (this.#host.isRestoring()) return { found: 0, more: true };
    let found = 0;
    for (const { key, uploaded } of page.objects) {
      const hash = contentHashOfKey(key);
      if (hash === undefined || uploaded.getTime() > nowMs - MIN_SWEPT_AGE_MS || this.#isNamed(hash)) continue;
      if (this.#host.deletions.addUnlessKnown(hash)) found += 1;
    }
    const last = page.truncated ? contentHashOfKey(page.objects.at(-1)!.key) : undefined;
    if (last === undefined) marks.remove("text_sweep");
    else marks.set("text_sweep", Number.parseInt(last.slice(0, CURSOR_DIGITS), 16));
    return { found, more: page.truncated };
  }

  #isNamed(hash: ContentHash): boolean {
    return this.#host.sql.exec("SELECT 1 FROM stored_texts WHERE content_hash = ?", fromHex(hash)).toArray().length > 0;
  }
}
