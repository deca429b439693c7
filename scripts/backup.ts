// `npm run backup -- --url http://localhost:8080 --out FOLDER`: downloads a registry's log as verified segments.
import { appendFileSync, existsSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { Readable } from "node:stream";
import { parseArgs } from "node:util";
import { type Address, parseAddress } from "../cli/address.ts";
import { toHex } from "../registry/log-entry.ts";
import type { StateDigests } from "../registry/rpc.ts";
import { decodeSegment, segmentName } from "../registry/segment.ts";
import { emptyManifest, MANIFEST_NAME, type Manifest, type ManifestSegment } from "../workers/backup/manifest.ts";
import {
  ArchiveProblem,
  CutOff,
  manifestOfFile,
  openArchive,
  type ReadSegment,
  readManifest,
  removeFile,
  segmentsOfStream,
  writeWhole,
} from "./archive.ts";
import { ADDRESS_OPTIONS, ADDRESS_USAGE, callRegistry, RegistryProblem, readPosition } from "./registry-calls.ts";

const USAGE = `npm run backup -- --url http://localhost:8080 --out FOLDER_OR_FILE.ndjson.gz [--header "N: V"]

Downloads the log of a registry as verified segments. A folder is laid out as the bucket of the scheduled backup and is
brought up to date when it holds a backup already; a file is written anew. Restore either with: npm run restore

${ADDRESS_USAGE}
`;

/** Returns the exit code. */
export async function runBackupCommand(args: readonly string[], print: (text: string) => void): Promise<number> {
  let registry: Address;
  let out: string;
  try {
    const { values } = parseArgs({ args: [...args], options: { ...ADDRESS_OPTIONS, out: { type: "string" } } });
    if (values.url === undefined || values.out === undefined) throw new Error("--url and --out are required.");
    registry = parseAddress(values.url, values.header);
    out = values.out;
  } catch (error) {
    print(`${(error as Error).message}\n\n${USAGE}`);
    return 2;
  }
  try {
    const manifest = await (isFile(out)
      ? downloadToFile(registry, out, print)
      : downloadToFolder(registry, out, print));
    const { last_seq, segments, state } = manifest;
    const bytes = segments.reduce((sum, segment) => sum + segment.bytes, 0);
    print(`${last_seq} entries in ${segments.length} segments, ${bytes} bytes, are in ${out} and verified.\n`);
    if (state?.seq !== last_seq)
      print("The registry was written to throughout, so the backup has no digests of its state.\n");
    return 0;
  } catch (error) {
    if (!(error instanceof ArchiveProblem) && !(error instanceof RegistryProblem)) throw error;
    print(`${error.message}\n`);
    return 1;
  }
}

function isFile(out: string): boolean {
  return existsSync(out) ? !statSync(out).isDirectory() : out.endsWith(".gz");
}

/** Keeps existing segments up to the last one, unless a hard delete has affected one since. */
async function downloadToFolder(registry: Address, folder: string, print: (text: string) => void): Promise<Manifest> {
  const path = join(folder, MANIFEST_NAME);
  const position = readPosition(await callRegistry(registry, "/health/ready", {}, print));
  const known = readManifest(path);
  const isCurrent = known !== null && known.erased_through === position.lastHardDelete;
  const replaced = isCurrent ? known.segments.splice(-1) : (known?.segments ?? []);
  const manifest = emptyManifest("");
  if (isCurrent) await goOnAfter(folder, known.segments, manifest);
  manifest.erased_through = position.lastHardDelete;
  const save = () => {
    manifest.exported_at = new Date().toISOString();
    writeWhole(path, `${JSON.stringify(manifest, null, 1)}\n`);
  };

  let unsaved = 0;
  const keep = (read: ReadSegment) => {
    writeWhole(join(folder, read.name), read.bytes);
    manifest.segments.push(listed(read));
    unsaved += 1;
    // The manifest is written regularly, so that an interrupted download resumes near where it stopped.
    if (unsaved % SAVED_EVERY_SEGMENTS === 0) save();
  };
  await download(registry, manifest, keep, print);
  save();
  const named = new Set(manifest.segments.map(({ name }) => name));
  for (const { name } of replaced) if (!named.has(name)) removeFile(join(folder, name));
  // Segments are read back from disk, because only a backup that was read is verified.
  for await (const _ of openArchive(folder).segments());
  return manifest;
}

const SAVED_EVERY_SEGMENTS = 20;

/** The manifest as of the last of these segments. */
async function goOnAfter(folder: string, segments: ManifestSegment[], manifest: Manifest): Promise<void> {
  const last = segments.at(-1);
  if (last === undefined) return;
  const decoded = decodeSegment(readFileSync(join(folder, last.name)));
  if (!decoded.ok) throw new ArchiveProblem(`${last.name}: ${decoded.refusal.message}`);
  manifest.segments = segments;
  manifest.last_seq = last.last;
  manifest.tip = toHex(decoded.value.segment.entries.at(-1)!.leafHash);
}

async function downloadToFile(registry: Address, file: string, print: (text: string) => void): Promise<Manifest> {
  const manifest = emptyManifest("");
  const unfinished = `${file}.unfinished`;
  writeFileSync(unfinished, "");
  const keep = (read: ReadSegment) => {
    appendFileSync(unfinished, read.bytes);
    manifest.segments.push({ ...listed(read), name: basename(file) });
  };
  await download(registry, manifest, keep, print);
  manifest.exported_at = new Date().toISOString();
  renameSync(unfinished, file);
  writeWhole(manifestOfFile(file), `${JSON.stringify(manifest, null, 1)}\n`);
  for await (const _ of openArchive(file).segments());
  return manifest;
}

/** Rounds without a new entry after which the registry is considered unreachable. */
const MAX_IDLE_ROUNDS = 5;

/** From the manifest's last entry to the end of the log; `keep` is called with every segment. */
async function download(
  registry: Address,
  manifest: Manifest,
  keep: (read: ReadSegment) => void,
  print: (text: string) => void,
): Promise<void> {
  let idleRounds = 0;
  while (idleRounds < MAX_IDLE_ROUNDS) {
    const from = manifest.last_seq;
    const response = await callRegistry(registry, `/backup/export?after=${from}`, {}, print);
    if (response.status === 204) {
      const { seq, leaf_hash, state } = (await (
        await callRegistry(registry, "/backup/state", {}, print)
      ).json()) as LiveState;
      if (seq === manifest.last_seq) {
        if (leaf_hash !== manifest.tip) throw new ArchiveProblem("The existing backup is of a different registry.");
        manifest.state = { seq, taken_at: new Date().toISOString(), ...state };
        return;
      }
    } else {
      try {
        for await (const bytes of segmentsOfStream(Readable.fromWeb(response.body as never))) {
          keep(requireNext(manifest, bytes));
          print(`\r${manifest.last_seq} of ${readPosition(response).seq} entries `);
        }
      } catch (error) {
        if (!(error instanceof CutOff)) throw error;
        print(`\nThe connection was lost after entry ${manifest.last_seq}; resuming from there.`);
      }
      print("\n");
    }
    idleRounds = manifest.last_seq > from ? 0 : idleRounds + 1;
  }
  if (manifest.last_seq === 0) throw new ArchiveProblem("Nothing could be downloaded.");
}

type LiveState = { seq: number; leaf_hash: string; state: StateDigests };

/** Verifies a segment and advances the manifest to its last entry. */
function requireNext(manifest: Manifest, bytes: Uint8Array): ReadSegment {
  const decoded = decodeSegment(bytes);
  if (!decoded.ok) throw new ArchiveProblem(`A segment arrived damaged: ${decoded.refusal.message}`);
  const { segment, sha256 } = decoded.value;
  const { before, entries, tenant } = segment;
  if (before.seq !== manifest.last_seq || before.leafHash !== manifest.tip) {
    throw new ArchiveProblem(
      `The registry's log does not continue from entry ${manifest.last_seq} of the existing backup.`,
    );
  }
  const last = entries.at(-1)!;
  manifest.tenant = tenant;
  manifest.last_seq = last.seq;
  manifest.tip = toHex(last.leafHash);
  const name = `segments/${segmentName(before.seq + 1, last.seq, sha256)}`;
  return { name, bytes, segment, sha256 };
}

function listed({ name, bytes, segment: { before, entries }, sha256 }: ReadSegment): ManifestSegment {
  const erased = entries.filter(({ payload }) => payload === null).length;
  const last = entries.at(-1)!.seq;
  return { name, first: before.seq + 1, last, sha256, bytes: bytes.byteLength, erased, full: false };
}

if (import.meta.main)
  process.exitCode = await runBackupCommand(process.argv.slice(2), (text) => process.stdout.write(text));
