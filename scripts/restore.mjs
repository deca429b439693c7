// `npm run restore`: brings a backup into an empty registry; scripts/restore-backup.ts does the work.
import { loadBundled } from "./bundled.mjs";

const { runRestore } = await loadBundled("restore-backup");
const stop = new AbortController();
// The segment that is under way is finished; a second signal ends at once.
process.once("SIGINT", () => stop.abort());
process.once("SIGTERM", () => stop.abort());
process.exitCode = await runRestore(process.argv.slice(2), (text) => process.stdout.write(text), stop.signal);
