/** llmsr list, search, show and history: what a registry holds. */
import type { SchemaRecord, SearchHit, SubjectSummary } from "../../sdks/typescript/src/models.ts";
import type { CliCommand } from "../command.ts";
import { wholeNumber } from "../comparison.ts";
import { EXIT } from "../exit-codes.ts";
import { readRecord, splitVersion } from "../input/from-registry.ts";
import { paintFor } from "../output/paint.ts";
import { prettyContent } from "../output/pretty-content.ts";
import { printRows, withoutControl } from "../output/table.ts";
import { parseOptions } from "../parse-options.ts";
import { subjectPath } from "../registry.ts";
import { openConfiguredRegistry, qualifySubject, REGISTRY_OPTIONS, REGISTRY_USAGE } from "../settings.ts";
import { UsageError } from "../usage-error.ts";

const BROWSE_OPTIONS = { ...REGISTRY_OPTIONS, json: { type: "boolean", default: false } } as const;
const TAIL_USAGE = `  --json             JSON instead of text
${REGISTRY_USAGE}`;

const LIST_USAGE = `llmsr list prints the subjects of a registry.

  llmsr list            name, newest version, number of versions, level, role
  llmsr list shop.      only names with this prefix

${TAIL_USAGE}
An empty result is exit code 0.
`;

export const LIST_COMMAND: CliCommand = {
  usage: LIST_USAGE,
  options: BROWSE_OPTIONS,
  async run(args, shell) {
    const { values, positionals } = parseOptions(args, BROWSE_OPTIONS);
    const [prefix, ...rest] = positionals;
    if (rest.length > 0) throw new UsageError("list takes one prefix.");
    const { registry, settings } = openConfiguredRegistry(shell, values);
    const query = { prefix, context: settings.context.value, limit: "1000" };
    const subjects = await registry.all<SubjectSummary>("/subjects", query);
    if (values.json) shell.print(`${JSON.stringify({ format_version: 1, items: subjects }, null, 2)}\n`);
    else {
      printRows(
        shell,
        ["SUBJECT", "LATEST", "VERSIONS", "LEVEL", "ROLE"],
        subjects.map(({ subject, latest, versions, level, role }) => [
          subject,
          latest?.version ?? "-",
          String(versions),
          level,
          role ?? "-",
        ]),
      );
    }
    return EXIT.ok;
  },
};

const SEARCH_OPTIONS = {
  ...BROWSE_OPTIONS,
  limit: { type: "string", default: "20" },
  format: { type: "string" },
} as const;

const SEARCH_USAGE = `llmsr search finds schemas by names, fields, descriptions and texts; it forgives typos.

  llmsr search customer email
  llmsr search amuont --format avro

  --format FORMAT    avro, json-schema or protobuf
  --limit N          at most so many (20)
${TAIL_USAGE}
An empty result is exit code 0. A registry without search refuses with exit code 5.
`;

export const SEARCH_COMMAND: CliCommand = {
  usage: SEARCH_USAGE,
  options: SEARCH_OPTIONS,
  async run(args, shell) {
    const { values, positionals } = parseOptions(args, SEARCH_OPTIONS);
    if (positionals.length === 0) throw new UsageError(`search takes words.\n\n${SEARCH_USAGE}`);
    const { registry, settings } = openConfiguredRegistry(shell, values);
    const query = {
      q: positionals.join(" "),
      format: values.format,
      context: settings.context.value,
      limit: String(wholeNumber("limit", values.limit)),
    };
    const answer = await registry.get<{ items: SearchHit[]; total?: number }>("/search", query);
    if (values.json) {
      shell.print(`${JSON.stringify({ format_version: 1, ...answer }, null, 2)}\n`);
      return EXIT.ok;
    }
    const rows = answer.items.map(({ record, highlights }) => [
      `${record.subject}@${record.version ?? "draft"}`,
      record.format,
      highlights.map(describeHighlight)[0] ?? "",
    ]);
    printRows(shell, ["SUBJECT", "FORMAT", "FOUND"], rows);
    return EXIT.ok;
  },
};

function describeHighlight({ in: where, path, parts }: SearchHit["highlights"][number]): string {
  const text = parts.map((part) => part.text).join("");
  return path === undefined || path === text ? `${where} ${text}` : `${where} ${path}: ${text}`;
}

const SHOW_USAGE = `llmsr show prints one registered version: its attributes and its schema.

  llmsr show orders             the newest
  llmsr show orders@^1          by number, version, range or alias

${TAIL_USAGE}`;

export const SHOW_COMMAND: CliCommand = {
  usage: SHOW_USAGE,
  options: BROWSE_OPTIONS,
  async run(args, shell) {
    const { values, positionals } = parseOptions(args, BROWSE_OPTIONS);
    const { subject, version } = versionNamed("show", positionals);
    const { registry, settings } = openConfiguredRegistry(shell, values);
    const record = await readRecord(registry, qualifySubject(subject, settings), version);
    if (values.json) {
      shell.print(`${JSON.stringify({ format_version: 1, ...record }, null, 2)}\n`);
      return EXIT.ok;
    }
    const { strong, quiet } = paintFor(shell.isTerminal);
    shell.print(`${strong(`${withoutControl(record.subject)}@${record.version ?? "draft"}`)}\n`);
    for (const [name, value] of listAttributes(record)) shell.print(`${quiet(`${name}:`)} ${withoutControl(value)}\n`);
    shell.print(`\n${prettyContent(record.format, record.content as string)}\n`);
    return EXIT.ok;
  },
};

function listAttributes(record: SchemaRecord): [string, string][] {
  const { id, format, version_number, state, role, owner, description, tags, created_at, created_by, references } =
    record;
  const attributes: [string, string | null][] = [
    ["id", id],
    ["format", format],
    ["number", version_number === null ? null : String(version_number)],
    ["state", state],
    ["role", role],
    ["owner", owner],
    ["description", description],
    ["tags", tags.length === 0 ? null : tags.join(", ")],
    ["registered", `${created_at} by ${created_by}`],
    [
      "references",
      references.map(({ name, subject, version }) => `${name} = ${subject}@${version}`).join(", ") || null,
    ],
  ];
  return attributes.filter((pair): pair is [string, string] => pair[1] !== null);
}

const HISTORY_USAGE = `llmsr history prints the versions of a subject, newest first.

  llmsr history orders

${TAIL_USAGE}`;

export const HISTORY_COMMAND: CliCommand = {
  usage: HISTORY_USAGE,
  options: BROWSE_OPTIONS,
  async run(args, shell) {
    const { values, positionals } = parseOptions(args, BROWSE_OPTIONS);
    const [subject, ...rest] = positionals;
    if (subject === undefined || rest.length > 0) throw new UsageError("history takes one subject.");
    const { registry, settings } = openConfiguredRegistry(shell, values);
    const path = `${subjectPath(qualifySubject(subject, settings))}/versions`;
    const records = (await registry.all<SchemaRecord>(path)).toReversed();
    if (values.json) {
      shell.print(`${JSON.stringify({ format_version: 1, items: records }, null, 2)}\n`);
      return EXIT.ok;
    }
    printRows(
      shell,
      ["VERSION", "NUMBER", "STATE", "REGISTERED", "BY", "DESCRIPTION"],
      records.map(({ version, version_number, state, created_at, created_by, description }) => [
        version ?? "draft",
        String(version_number ?? "-"),
        state,
        created_at,
        created_by,
        description ?? "",
      ]),
    );
    return EXIT.ok;
  },
};

/** `orders` is `orders@latest`. */
function versionNamed(command: string, [reference, ...rest]: readonly string[]) {
  if (reference === undefined || rest.length > 0) throw new UsageError(`${command} takes SUBJECT or SUBJECT@VERSION.`);
  return splitVersion(reference) ?? { subject: reference, version: "latest" };
}
