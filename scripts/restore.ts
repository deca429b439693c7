// `npm run restore -- --from FOLDER --url http://localhost:8080`: restores a backup into an empty registry and verifies
// the result.
import { parseArgs } from "node:util";
import { type Address, parseAddress } from "../cli/address.ts";
import { toHex } from "../registry/log-entry.ts";
import type { StateDigests } from "../registry/rpc.ts";
import { ArchiveProblem, openArchive } from "./archive.ts";
import { ADDRESS_OPTIONS, ADDRESS_USAGE, callRegistry, RegistryProblem, readPosition } from "./registry-calls.ts";

const USAGE = `npm run restore -- --from FOLDER_OR_FILE --url http://localhost:8080 [--dry-run] [--header "N: V"]

Restores a backup into an empty registry: a folder that npm run backup wrote or that was copied out of the bucket (the one
with manifest.json in it), or one file of segments. Start it again after an interruption and it goes on where it stopped.

${ADDRESS_USAGE}
  --dry-run          only verify the backup and say what would be done
`;

type Print = (text: string) => void;

/** Returns the exit code: 0 restored and verified, 1 a reported problem, 2 an invalid argument, 130 stopped. */
export async function runRestore(args: readonly string[], print: Print, stop?: AbortSignal): Promise<number> {
  let from: string;
  let registry: Address;
  let isDry: boolean;
  try {
    const { values } = parseArgs({
      args: [...args],
      options: { ...ADDRESS_OPTIONS, from: { type: "string" }, "dry-run": { type: "boolean", default: false } },
    });
    if (values.from === undefined || values.url === undefined) throw new Error("--from and --url are required.");
    from = values.from;
    registry = parseAddress(values.url, values.header);
    isDry = values["dry-run"];
  } catch (error) {
    print(`${(error as Error).message}\n\n${USAGE}`);
    return 2;
  }
  try {
    return await restore(from, registry, isDry, print, stop);
  } catch (error) {
    if (!(error instanceof ArchiveProblem) && !(error instanceof RegistryProblem)) throw error;
    print(`\n${error.message}\n`);
    return 1;
  }
}

async function restore(
  from: string,
  registry: Address,
  isDry: boolean,
  print: Print,
  stop?: AbortSignal,
): Promise<number> {
  const archive = openArchive(from);
  // The whole backup is verified before any of it is sent, so that a problem in the last segment is found first.
  const total = await verify(archive, print);
  const here = readPosition(await callRegistry(registry, "/health/ready", {}, print));
  if (isDry) {
    print(
      here.seq === 0
        ? `${registry.url} is empty: `
        : `${registry.url} holds ${here.seq} entries, which must be the same: `,
    );
    print(`${Math.max(0, total.seq - here.seq)} entries would be restored.\n`);
    return 0;
  }

  let sent = 0;
  const beganAt = performance.now();
  for await (const { bytes, segment } of archive.segments()) {
    const last = segment.entries.at(-1)!.seq;
    // The segment that contains the registry's last entry is sent as well, because it shows whether this is the same
    // log.
    if (last < here.seq) continue;
    if (stop?.aborted) {
      print("\nStopped. The same command resumes.\n");
      return 130;
    }
    const answer = await callRegistry(
      registry,
      "/backup/restore",
      { method: "POST", headers: SEGMENT, body: bytes },
      print,
    );
    sent += ((await answer.json()) as { appended: number }).appended;
    const perSecond = Math.round(sent / Math.max(0.001, (performance.now() - beganAt) / 1_000));
    print(`\r${last} of ${total.seq} entries (${Math.floor((100 * last) / total.seq)} %), ${perSecond} a second  `);
  }
  const state = archive.manifest?.state?.seq === total.seq ? archive.manifest.state : null;
  const finish = await callRegistry(
    registry,
    "/backup/restore/finish",
    {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({
        seq: total.seq,
        leaf_hash: total.leafHash,
        state: state && { version: state.version, tables: state.tables },
      }),
    },
    print,
  );
  const proof = (await finish.json()) as Proof;
  print(
    `\n${sent} entries were restored, ${total.seq - sent} were already present.\n${printProof(proof, state !== null)}`,
  );
  return 0;
}

type Proof = { state: StateDigests; compared: boolean; replayed: boolean };

const SEGMENT = { "Content-Type": "application/gzip" };

async function verify(
  archive: ReturnType<typeof openArchive>,
  print: Print,
): Promise<{ seq: number; leafHash: string }> {
  let total: { seq: number; leafHash: string } | undefined;
  let count = 0;
  for await (const { segment } of archive.segments()) {
    const { seq, leafHash } = segment.entries.at(-1)!;
    total = { seq, leafHash: toHex(leafHash) };
    count += 1;
  }
  if (total === undefined) throw new ArchiveProblem("The backup is empty.");
  print(`The backup holds ${total.seq} entries in ${count} segments, and all of them verify.\n`);
  return total;
}

function printProof({ state, compared, replayed }: Proof, isExpected: boolean): string {
  const rows = Object.entries(state.tables).map(
    ([table, digest]) => `  ${table}: ${digest.rows} rows, ${digest.sha256}`,
  );
  const against = compared
    ? "its digests equal the backup's"
    : isExpected
      ? "the backup's digests belong to a different version of the tables and could not be compared"
      : "the backup has no digests of the state after its last entry";
  const replay = replayed
    ? "a replay of the restored log produces the stored rows"
    : "the log is too long to be replayed";
  return `Proven: ${replay}, and ${against}.
${rows.join("\n")}

The copies that follow the log (Postgres, the feed, the next backup) catch up by themselves. If a registry answered under
this address before, its caches and its Postgres may know more than was restored: run npm run rebuild.
`;
}

if (import.meta.main) {
  const stop = new AbortController();
  // The current segment is finished; a second signal ends the process immediately.
  process.once("SIGINT", () => stop.abort());
  process.once("SIGTERM", () => stop.abort());
  process.exitCode = await runRestore(process.argv.slice(2), (text) => process.stdout.write(text), stop.signal);
}
