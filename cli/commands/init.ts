/** llmsr init: writes an llmsr.toml for the schemas that a repository has. */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { parseAddress } from "../address.ts";
import type { CliCommand } from "../command.ts";
import { EXIT } from "../exit-codes.ts";
import { listSchemaFiles, readInputs } from "../input/read-inputs.ts";
import { parseOptions } from "../parse-options.ts";
import { PROJECT_FILE } from "../project-file.ts";
import { DEFAULT_URL, REGISTRY_OPTIONS } from "../settings.ts";
import type { Shell } from "../shell.ts";
import { UsageError } from "../usage-error.ts";

const INIT_USAGE = `llmsr init writes llmsr.toml: which files of the repository are which subjects.

  llmsr init
  llmsr init --url https://registry.example.com --prefix shop.

  --url URL          the registry (LLMSR_URL, then http://localhost:8080)
  --prefix PREFIX    of the subjects' names
  --force            replaces an llmsr.toml
  --dry-run          prints it instead

Listed are .avsc and .proto files, JSON and YAML files that hold JSON Schemas, and tool lists. Pydantic models and Zod
schemas are listed as comments, because reading one runs your code. Files that git ignores are left out.
`;

const INIT_OPTIONS = {
  url: REGISTRY_OPTIONS.url,
  prefix: { type: "string", default: "" },
  force: { type: "boolean", default: false },
  "dry-run": { type: "boolean", default: false },
} as const;

type Found = { subject: string; file: string; role?: string };

export const INIT_COMMAND: CliCommand = {
  usage: INIT_USAGE,
  options: INIT_OPTIONS,
  async run(args, shell) {
    const { values, positionals } = parseOptions(args, INIT_OPTIONS);
    if (positionals.length > 0) throw new UsageError("init takes no arguments; it looks at the current folder.");
    const file = join(shell.cwd, PROJECT_FILE);
    if (existsSync(file) && !values.force && !values["dry-run"]) {
      throw new UsageError(`${PROJECT_FILE} is there already; --force replaces it.`);
    }
    const subjects = await findSubjects(shell, values.prefix);
    const models = findModels(shell, values.prefix);
    // Unlike other commands, does not read llmsr.toml: --force may replace an invalid one.
    const { url } = parseAddress(values.url ?? (shell.env.LLMSR_URL || DEFAULT_URL), []);
    const text = printProject(url, subjects, models);
    if (values["dry-run"]) shell.print(text);
    else {
      writeFileSync(file, text);
      shell.printError(`${PROJECT_FILE} lists ${subjects.length} subjects. Next: llmsr push --dry-run\n`);
    }
    return EXIT.ok;
  },
};

async function findSubjects(shell: Shell, prefix: string): Promise<Found[]> {
  const tracked = gitFiles(shell.cwd);
  const files = listSchemaFiles(shell.cwd).map((path) => relative(shell.cwd, path));
  const found: Found[] = [];
  for (const file of files) {
    if (tracked !== undefined && !tracked.has(file)) continue;
    const schemas = await readInputs(file, { shell }).catch((error: unknown) => {
      if (!(error instanceof UsageError)) throw error;
      shell.printError(`${error.message}\n`);
      return [];
    });
    const [first] = schemas;
    if (first === undefined) continue;
    const isToolList = first.place !== file;
    found.push(
      isToolList
        ? { subject: `${prefix}*`, file }
        : { subject: prefix + first.name, file, ...(first.role === undefined ? {} : { role: first.role }) },
    );
  }
  return withDistinctNames(found, prefix);
}

/** Files of the same name get their folders' names as well, then their extensions. */
function withDistinctNames(found: readonly Found[], prefix: string): Found[] {
  const byPath = renameRepeated(found, (file) => prefix + dotted(file.replace(/(?:\.schema)?\.[^./]+$/, "")));
  return renameRepeated(byPath, (file) => prefix + dotted(file));
}

function dotted(path: string): string {
  return path.replaceAll("/", ".");
}

function renameRepeated(found: readonly Found[], nameOf: (file: string) => string): Found[] {
  const counts = new Map<string, number>();
  for (const { subject } of found) counts.set(subject, (counts.get(subject) ?? 0) + 1);
  return found.map((entry) => {
    if (counts.get(entry.subject) === 1) return entry;
    return { ...entry, subject: `${nameOf(entry.file)}${entry.subject.endsWith("*") ? ".*" : ""}` };
  });
}

const MODEL_FILE = /\.(?:py|[mc]?ts)$/;
/** The most models that are listed; a larger repository should list only the models it publishes. */
const MAX_MODELS = 50;

function findModels(shell: Shell, prefix: string): Found[] {
  const tracked = gitFiles(shell.cwd);
  const found: Found[] = [];
  for (const file of tracked ?? []) {
    if (!MODEL_FILE.test(file) || /(?:^|\/)(?:tests?|node_modules)\/|\.d\.ts$|\.test\.ts$/.test(file)) continue;
    const path = join(shell.cwd, file);
    if (!existsSync(path)) continue;
    found.push(...modelsIn(file, readFileSync(path, "utf8"), prefix));
    if (found.length >= MAX_MODELS) break;
  }
  return found.slice(0, MAX_MODELS);
}

function modelsIn(file: string, text: string, prefix: string): Found[] {
  if (file.endsWith(".py")) {
    const module = file.replace(/(?:\/__init__)?\.py$/, "").replaceAll("/", ".");
    return [...text.matchAll(/^class (\w+)\((?:[\w.]*\.)?BaseModel\b/gm)].map(([, name]) => ({
      subject: prefix + kebab(name!),
      file: `${module}:${name}`,
    }));
  }
  return [...text.matchAll(/^export const (\w+)\s*=\s*z\s*\.\s*(?:strict|loose)?[oO]bject\(/gm)].map(([, name]) => ({
    subject: prefix + kebab(name!),
    file: `${file}#${name}`,
  }));
}

function kebab(name: string): string {
  return name
    .replaceAll(/([a-z\d])([A-Z])/g, "$1-$2")
    .replaceAll(/([A-Z])([A-Z][a-z])/g, "$1-$2")
    .replaceAll("_", "-")
    .toLowerCase();
}

/** Tracked and new files that git does not ignore, from here; undefined outside a repository. */
function gitFiles(cwd: string): ReadonlySet<string> | undefined {
  try {
    const listed = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], {
      cwd,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
      maxBuffer: 64 * 1024 * 1024,
    });
    return new Set(
      listed
        .split("\0")
        .filter((file) => file !== "")
        .toSorted(),
    );
  } catch {
    return undefined;
  }
}

function printProject(url: string, subjects: readonly Found[], models: readonly Found[]): string {
  const lines = [
    "# Which files of this repository are which subjects of the registry: `llmsr push`, `llmsr check`, `llmsr pull`.",
    `url = ${JSON.stringify(url)}`,
    "",
    "[subjects]",
    ...subjects.map(printEntry),
    ...models.map((model) => `# ${printEntry(model)}`),
  ];
  return `${lines.join("\n")}\n`;
}

function printEntry({ subject, file, role }: Found): string {
  const key = /^[A-Za-z0-9_-]+$/.test(subject) ? subject : JSON.stringify(subject);
  const value = role === undefined ? JSON.stringify(file) : `{ file = ${JSON.stringify(file)}, role = "${role}" }`;
  return `${key} = ${value}`;
}
