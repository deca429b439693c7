// `npm run backup`: downloads a registry's log; scripts/download-backup.ts does the work.
import { loadBundled } from "./bundled.mjs";

const { runBackup } = await loadBundled("download-backup");
process.exitCode = await runBackup(process.argv.slice(2), (text) => process.stdout.write(text));
