/**
 * Finds texts in R2 that no commit has named: an edge puts a large text ahead of the commit, and a refusal or a crash in
 * between leaves it there. What is found goes the way of every deletion (text-deletions.ts), so that a commit which counts on
 * the text meanwhile either names it first or is told that it is gone.
 */
import { fromHex } from "../../../registry/log-entry.ts";
import type { TextSweepAnswer } from "../../../registry/rpc.ts";
import { contentHashOfKey, textKeyPrefix } from "../../../registry/text-key.ts";
import type { ContentHash } from "../../../schema/content-hash.ts";
import type { RememberedNumbers } from "../../remembered-numbers.ts";
import type { TextDeletions } from "./text-deletions.ts";

/** Objects looked at in one run: what R2 lists in one call, and as many short reads of one index. */
export const MAX_SWEPT_TEXTS = 1_000;
/** A commit names a text within seconds of its put. An hour leaves room for clocks that differ. */
export const MIN_SWEPT_AGE_MS = 60 * 60 * 1_000;
/** Digits of the last hash that are kept as the cursor: a number holds 53 bits, and no page has so many keys in common. */
const CURSOR_DIGITS = 12;

type SweepHost = {
  sql: SqlStorage;
  bucket: Pick<R2Bucket, "list">;
  /** `text_sweep`: where the next run goes on; absent at the beginning. */
  marks: RememberedNumbers<"text_sweep">;
  deletions: Pick<TextDeletions, "addUnlessKnown">;
  tenant(): string;
  /** A restore puts texts long before it names them. */
  isRestoring(): boolean;
};

export class TextSweep {
  readonly #host: SweepHost;

  constructor(host: SweepHost) {
    this.#host = host;
  }

  /** Looks at the next texts of the bucket and has those deleted that are old and not named. Two runs at once do no harm. */
  async run(nowMs: number): Promise<TextSweepAnswer> {
    const { bucket, marks } = this.#host;
    const prefix = textKeyPrefix(this.#host.tenant());
    const reached = marks.get("text_sweep");
    const page = await bucket.list({
      prefix,
      limit: MAX_SWEPT_TEXTS,
      ...(reached > 0 && { startAfter: prefix + reached.toString(16).padStart(CURSOR_DIGITS, "0") }),
    });
    // From here on nothing is awaited: what is named, and what is restored, stays as it is until the deletions are written.
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
    return this.#host.sql.exec("SELECT 1 FROM texts WHERE content_hash = ?", fromHex(hash)).toArray().length > 0;
  }
}
