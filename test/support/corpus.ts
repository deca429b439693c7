/** Real schemas, kept beside the checkout since they are other people's. `CORPUS=none` runs the suites without them, as CI does once. */
import { existsSync } from "node:fs";
import { join } from "node:path";

export const CORPUS = process.env.CORPUS ?? join(import.meta.dirname, "../../../shared/corpus");
export const HISTORIES = join(CORPUS, "histories");

/** For `describe.skipIf(!hasCorpus)`: what is missing is seen as skipped. */
export const hasCorpus = existsSync(HISTORIES);
