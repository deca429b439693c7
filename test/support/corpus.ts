/**
 * Real schemas, kept beside the checkout because they belong to others. `CORPUS=none` runs the suites without them, as
 * CI does once.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";

export const CORPUS = process.env.CORPUS ?? join(import.meta.dirname, "../../../shared/corpus");
export const HISTORIES = join(CORPUS, "histories");

/** For `describe.skipIf(!hasCorpus)`: missing data is reported as skipped tests. */
export const hasCorpus = existsSync(HISTORIES);
