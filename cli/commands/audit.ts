/** llmsr audit: downloads a registry's log, and verifies it against a saved checkpoint, online or offline. */
import { createReadStream, readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { BadAnswer } from "../../sdks/typescript/src/errors.ts";
import { type Checkpoint, openNote, parseCheckpoint, parseVerifier, type Verifier } from "../../tlog/note.ts";
import { type LogLine, LogVerifier } from "../../tlog/verify.ts";
import type { CliCommand } from "../command.ts";
import { parseOptions } from "../parse-options.ts";
import type { Registry } from "../registry.ts";
import { openConfiguredRegistry, REGISTRY_OPTIONS } from "../settings.ts";
import type { Output, Shell } from "../shell.ts";
import { cannotRead, UsageError } from "../usage-error.ts";

const AUDIT_USAGE = `llmsr audit verifies that a registry's log has not been altered.

  llmsr audit checkpoint [URL]  prints the newest signed checkpoint: save it where the registry's operators cannot write
  llmsr audit download [URL]    prints the log as JSON lines
  llmsr audit export [URL]      prints who changed what, as JSON lines or CSV
  llmsr audit verify [URL]      verifies the log over the network
  llmsr audit verify --log FILE verifies a downloaded log; no network (- reads stdin)

  --checkpoint FILE  a saved checkpoint that the log must contain; may be repeated
  --key KEY          a public key that must have signed it (name+hash+key, see /api/v1/audit/keys); may be repeated
  --actor, --subject, --type, --change-set, --from, --until
                     export: only such entries; everything one person did with --actor
  --include denied   export: denied attempts as well
  --format FORMAT    export: ndjson or csv (ndjson)
  --url, --header    as for other commands; the API key is LLMSR_KEY, or what \`llmsr login\` stored

Exit code 1: the log does not match the checkpoints. Without --key, signatures are not verified.
`;

const PAGE_ENTRIES = 500;

async function audit(args: readonly string[], shell: Shell): Promise<number> {
  const { print, printError } = shell;
  const { values, positionals } = parse(args);
  const [command, url, ...rest] = positionals;
  if (rest.length > 0) throw new UsageError(`Unexpected argument "${rest[0]}".\n\n${AUDIT_USAGE}`);
  const open = () => {
    const { context, header } = values;
    return openConfiguredRegistry(shell, { url: url ?? values.url, context, header }).registry;
  };
  switch (command) {
    case "checkpoint":
      print(await open().text("/audit/checkpoint"));
      return 0;
    case "download":
      for await (const line of fetchLog(open())) print(`${JSON.stringify(line)}\n`);
      return 0;
    case "export": {
      const { actor, subject, type, from, until, format, include, "change-set": changeSet } = values;
      const query = { actor, subject, type, from, until, format, include, change_set: changeSet };
      for await (const text of open().stream("/audit/export", query)) print(text);
      return 0;
    }
    case "verify": {
      if (values.log !== undefined && (url !== undefined || values.url !== undefined)) {
        throw new UsageError("verify takes either the URL of a registry or --log FILE.");
      }
      const entries = values.log === undefined ? fetchLog(open()) : readLog(values.log, shell);
      return verify(entries, await readCheckpoints(values.checkpoint, values.key), { print, printError });
    }
    default:
      printError(AUDIT_USAGE);
      return 2;
  }
}

async function verify(
  entries: AsyncIterable<LogLine>,
  checkpoints: readonly Checkpoint[],
  { print, printError }: Pick<Output, "print" | "printError">,
): Promise<number> {
  const verifier = new LogVerifier(checkpoints);
  let problem: string | undefined;
  for await (const entry of entries) {
    problem = verifier.add(entry);
    if (problem !== undefined) break;
  }
  problem ??= verifier.finish();
  if (problem !== undefined) {
    printError(`llmsr: the log is not intact. ${problem}\n`);
    return 1;
  }
  const covered = Math.max(0, ...checkpoints.map(({ size }) => size));
  print(`${verifier.size} entries are intact; ${covered} of them are covered by the given checkpoints.\n`);
  print(`root ${Buffer.from(verifier.root()).toString("base64")}, ${verifier.hardDeleted} payloads hard-deleted\n`);
  return 0;
}

async function readCheckpoints(files: readonly string[], keys: readonly string[]): Promise<Checkpoint[]> {
  const verifiers = keys.map((key): Verifier => {
    const verifier = parseVerifier(key);
    if (!verifier) throw new UsageError(`"${key}" is not the public key of a checkpoint (expected name+hash+key).`);
    return verifier;
  });
  const checkpoints: Checkpoint[] = [];
  for (const file of files) {
    const note = readFile(file);
    const opened = verifiers.length === 0 ? { ok: true as const, text: note } : await openNote(note, verifiers);
    if (!opened.ok) throw new UsageError(`${file}: ${opened.problem}`);
    const checkpoint = parseCheckpoint(opened.text);
    if (!checkpoint) throw new UsageError(`${file} is not a checkpoint.`);
    checkpoints.push(checkpoint);
  }
  return checkpoints;
}

function readFile(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw cannotRead(file, error);
  }
}

async function* readLog(file: string, shell: Shell): AsyncGenerator<LogLine> {
  const input = file === "-" ? Readable.from(shell.stdinChunks()) : createReadStream(file);
  let number = 0;
  try {
    for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
      number += 1;
      if (line !== "") yield parseLine(line, `${file}, line ${number}`);
    }
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw cannotRead(file, error);
  }
}

function parseLine(line: string, place: string): LogLine {
  try {
    const { seq, header, payload } = JSON.parse(line) as LogLine;
    if (typeof seq === "number" && typeof header === "string" && payload !== undefined) return { seq, header, payload };
  } catch {
    // Said below.
  }
  throw new UsageError(`${place} is not an entry of a downloaded log.`);
}

async function* fetchLog(registry: Registry): AsyncGenerator<LogLine> {
  for (let after = 0; ; ) {
    const query = { after: String(after), limit: String(PAGE_ENTRIES) };
    const page = await registry.get<{ items?: LogLine[] } | null | undefined>("/log", query);
    const items = page?.items;
    if (!Array.isArray(items)) throw new BadAnswer(200, `${registry.url} answers something other than a log.`, 1);
    yield* items;
    const last = items.at(-1);
    if (last === undefined) return;
    after = last.seq;
  }
}

const { key: _, ...ADDRESS_OPTIONS } = REGISTRY_OPTIONS;

const AUDIT_OPTIONS = {
  ...ADDRESS_OPTIONS,
  log: { type: "string" },
  actor: { type: "string" },
  subject: { type: "string" },
  type: { type: "string" },
  "change-set": { type: "string" },
  from: { type: "string" },
  until: { type: "string" },
  format: { type: "string" },
  include: { type: "string" },
  checkpoint: { type: "string", multiple: true, default: [] as string[] },
  key: { type: "string", multiple: true, default: [] as string[] },
} as const;

function parse(args: readonly string[]) {
  return parseOptions(args, AUDIT_OPTIONS);
}

export const AUDIT_COMMAND: CliCommand = {
  usage: AUDIT_USAGE,
  options: AUDIT_OPTIONS,
  isStream: true,
  run: audit,
};
