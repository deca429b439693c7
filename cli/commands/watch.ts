/** llmsr watch: prints every change as it happens, and resumes where the last run ended. */
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { setImmediate } from "node:timers/promises";
import type { RegistryEvent } from "../../sdks/typescript/src/models.ts";
import type { CliCommand } from "../command.ts";
import { parseWholeNumber, wholeNumber } from "../comparison.ts";
import { EXIT } from "../exit-codes.ts";
import { paintFor } from "../output/paint.ts";
import { withoutControl } from "../output/table.ts";
import { parseOptions } from "../parse-options.ts";
import { openConfiguredRegistry, REGISTRY_OPTIONS, REGISTRY_USAGE } from "../settings.ts";
import type { Shell } from "../shell.ts";
import { UsageError } from "../usage-error.ts";

const WATCH_USAGE = `llmsr watch prints every change of a registry as it happens.

  llmsr watch                       from now on
  llmsr watch 'shop.*' --after 0    the whole history first; names may hold *
  llmsr watch --state watched.seq   goes on where the run before it ended

  --after SEQ        only later changes; 0 begins with the first
  --state FILE       keeps the seq of the last printed change
  --type TYPE        such as schema.registered or schema.*; may be repeated
  --limit N          ends after so many
  --json             the events as JSON lines
${REGISTRY_USAGE}
A lost connection is made again, and no change is left out or printed twice. Ends with exit code 130 when interrupted.
`;

const WATCH_OPTIONS = {
  ...REGISTRY_OPTIONS,
  after: { type: "string" },
  state: { type: "string" },
  type: { type: "string", multiple: true, default: [] as string[] },
  limit: { type: "string" },
  json: { type: "boolean", default: false },
} as const;

const EVENT_PREFIX = "dev.llm-schema-registry.";

export const WATCH_COMMAND: CliCommand = {
  usage: WATCH_USAGE,
  options: WATCH_OPTIONS,
  isStream: true,
  async run(args, shell) {
    const { values, positionals } = parseOptions(args, WATCH_OPTIONS);
    const { registry } = openConfiguredRegistry(shell, values);
    const stored = values.state === undefined ? undefined : readState(values.state, shell);
    const after = stored ?? (values.after === undefined ? undefined : wholeNumber("after", values.after));
    const limit = values.limit === undefined ? Number.POSITIVE_INFINITY : wholeNumber("limit", values.limit);
    let count = 0;
    if (limit === 0) return EXIT.ok;
    const params = { ...(after === undefined ? {} : { after }), subjects: positionals, types: values.type };
    for await (const event of registry.events(params)) {
      shell.print(values.json ? `${JSON.stringify(event)}\n` : describe(event, shell));
      if (values.state !== undefined) {
        // A closed pipe is reported a turn after the write; a change that was not read stays unread.
        await setImmediate();
        shell.signal.throwIfAborted();
        // After printing, so that a crash repeats a change and never loses one.
        writeState(values.state, event.seq, shell);
      }
      count += 1;
      if (count >= limit) break;
    }
    return EXIT.ok;
  },
};

function describe({ seq, time, type, subject, data }: RegistryEvent, { isTerminal }: Shell): string {
  const { strong, quiet } = paintFor(isTerminal);
  const { version } = (data.record ?? {}) as { version?: string };
  const name = subject === undefined ? "" : ` ${strong(withoutControl(subject))}${version ? `@${version}` : ""}`;
  const actor = typeof data.actor === "string" ? ` by ${withoutControl(data.actor)}` : "";
  return `${quiet(`${seq} ${time}`)} ${type.replace(EVENT_PREFIX, "")}${name}${actor}\n`;
}

function readState(file: string, { cwd }: Shell): number | undefined {
  const path = resolve(cwd, file);
  if (!existsSync(path)) return undefined;
  const seq = parseWholeNumber(readFileSync(path, "utf8").trim());
  if (seq !== undefined) return seq;
  throw new UsageError(`${file} does not hold the seq of a change (expected a whole number).`);
}

/** Renamed into place, because a crash during a write would leave a truncated number. */
function writeState(file: string, seq: number, { cwd }: Shell): void {
  const path = resolve(cwd, file);
  writeFileSync(`${path}.next`, `${seq}\n`);
  renameSync(`${path}.next`, path);
}
