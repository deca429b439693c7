/** From the command line to a command. Commands are loaded when they are called, so that starting stays quick. */
import { VERSION } from "../sdks/typescript/src/version.ts";
import { type CliCommand, runCommand } from "./command.ts";
import { EXIT } from "./exit-codes.ts";
import { TOPICS } from "./help-topics.ts";
import type { Shell } from "./shell.ts";

type Entry = { summary: string; load: () => Promise<CliCommand> };

const WITHOUT_SERVER: Readonly<Record<string, Entry>> = {
  diff: {
    summary: "every difference between two schemas, in both directions",
    load: async () => (await import("./commands/compare.ts")).DIFF_COMMAND,
  },
  check: {
    summary: "is a change compatible with a file, a git revision or a registry; exit code 1 if not",
    load: async () => (await import("./commands/check.ts")).CHECK_COMMAND,
  },
  bump: {
    summary: "the version bump a change needs",
    load: async () => (await import("./commands/compare.ts")).BUMP_COMMAND,
  },
  validate: {
    summary: "is a value valid under a schema",
    load: async () => (await import("./commands/validate.ts")).VALIDATE_COMMAND,
  },
  stream: {
    summary: "is an answer valid under a schema, while it is still arriving",
    load: async () => (await import("./commands/stream.ts")).STREAM_COMMAND,
  },
  sketch: {
    summary: "what the columns of rows hold, and whether that drifted",
    load: async () => (await import("./commands/sketch.ts")).SKETCH_COMMAND,
  },
  lint: {
    summary: "which model providers accept a schema",
    load: async () => (await import("./commands/lint.ts")).LINT_COMMAND,
  },
  project: {
    summary: "a schema rewritten for one model provider",
    load: async () => (await import("./commands/project.ts")).PROJECT_COMMAND,
  },
  bundle: {
    summary: "one text of a schema without references",
    load: async () => (await import("./commands/bundle.ts")).BUNDLE_COMMAND,
  },
  types: {
    summary: "types for a schema: Pydantic 2, TypeScript, Go, Java, Rust",
    load: async () => (await import("./commands/write-types.ts")).TYPES_COMMAND,
  },
  init: {
    summary: "writes llmsr.toml by looking at the repository",
    load: async () => (await import("./commands/init.ts")).INIT_COMMAND,
  },
};

const WITH_SERVER: Readonly<Record<string, Entry>> = {
  login: {
    summary: "stores an API key for one registry",
    load: async () => (await import("./commands/login.ts")).LOGIN_COMMAND,
  },
  push: {
    summary: "registers files, folders and tool lists; --dry-run only says what would happen",
    load: async () => (await import("./commands/push.ts")).PUSH_COMMAND,
  },
  pull: {
    summary: "fetches registered schemas as files",
    load: async () => (await import("./commands/pull.ts")).PULL_COMMAND,
  },
  results: {
    summary: "whether the scores of two evaluation records can be compared",
    load: async () => (await import("./commands/results.ts")).RESULTS_COMMAND,
  },
  list: {
    summary: "the subjects of a registry",
    load: async () => (await import("./commands/browse.ts")).LIST_COMMAND,
  },
  search: {
    summary: "finds schemas by names, fields and descriptions",
    load: async () => (await import("./commands/browse.ts")).SEARCH_COMMAND,
  },
  show: {
    summary: "one registered version with its schema",
    load: async () => (await import("./commands/browse.ts")).SHOW_COMMAND,
  },
  history: {
    summary: "the versions of a subject",
    load: async () => (await import("./commands/browse.ts")).HISTORY_COMMAND,
  },
  import: {
    summary: "copies another registry, or registers the lines of an export",
    load: async () => (await import("./commands/import.ts")).IMPORT_COMMAND,
  },
  export: {
    summary: "every registered version as JSON lines",
    load: async () => (await import("./commands/export.ts")).EXPORT_COMMAND,
  },
  watch: {
    summary: "every change as it happens; resumable",
    load: async () => (await import("./commands/watch.ts")).WATCH_COMMAND,
  },
  audit: {
    summary: "verifies that a registry's log has not been altered",
    load: async () => (await import("./commands/audit.ts")).AUDIT_COMMAND,
  },
  propose: {
    summary: "opens a change that waits for approval, or lists the open ones",
    load: async () => (await import("./commands/proposals.ts")).PROPOSE_COMMAND,
  },
  approve: {
    summary: "approves a proposal",
    load: async () => (await import("./commands/proposals.ts")).APPROVE_COMMAND,
  },
  reject: {
    summary: "rejects a proposal",
    load: async () => (await import("./commands/proposals.ts")).REJECT_COMMAND,
  },
  promote: {
    summary: "copies a version and what it references to another context or registry",
    load: async () => (await import("./commands/promote.ts")).PROMOTE_COMMAND,
  },
  person: {
    summary: "what the registry holds of one person",
    load: async () => (await import("./commands/personal-data.ts")).PERSON_COMMAND,
  },
  erase: {
    summary: "erases a person's name, or a text",
    load: async () => (await import("./commands/personal-data.ts")).ERASE_COMMAND,
  },
  doctor: {
    summary: "the settings in use, and whether the registry takes them",
    load: async () => (await import("./commands/doctor.ts")).DOCTOR_COMMAND,
  },
};

export const COMMANDS: Readonly<Record<string, Entry>> = {
  ...WITHOUT_SERVER,
  ...WITH_SERVER,
  completion: {
    summary: "a completion script for bash, zsh or fish",
    load: async () => (await import("./commands/completion.ts")).completionCommand(describeCommands),
  },
};

async function describeCommands() {
  return Promise.all(
    Object.entries(COMMANDS).map(async ([name, { summary, load }]) => ({
      name,
      summary,
      options: [...Object.keys((await load()).options), "help"].map((option) => `--${option}`),
    })),
  );
}

const USAGE = `llmsr compares, checks and registers schemas: JSON Schema, Avro, Protobuf, and the tools of language models.

Without a server:
${listOf(WITHOUT_SERVER)}
With a registry (llmsr help environment):
${listOf(WITH_SERVER)}
  completion  ${COMMANDS.completion!.summary}

  llmsr COMMAND --help   a command's options
  llmsr help TOPIC       ${Object.keys(TOPICS).join(", ")}
  --color WHEN           auto, always or never; NO_COLOR and CLICOLOR_FORCE are heeded
  --quiet                no progress and no notes
  --version              ${VERSION}
`;

function listOf(entries: Readonly<Record<string, Entry>>): string {
  return Object.entries(entries)
    .map(([name, { summary }]) => `  ${name.padEnd(11)} ${summary}\n`)
    .join("");
}

/** Runs the command that the arguments name, and returns the exit code. */
export async function dispatch([name, ...args]: readonly string[], shell: Shell): Promise<number> {
  switch (name) {
    case undefined:
      shell.printError(USAGE);
      return EXIT.usage;
    case "--help":
    case "-h":
      shell.print(USAGE);
      return EXIT.ok;
    case "--version":
    case "-V":
      shell.print(`llmsr ${VERSION}\n`);
      return EXIT.ok;
    case "help":
      return help(args, shell);
  }
  const entry = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (entry !== undefined) return runCommand(await entry.load(), args, shell);
  const close = Object.keys(COMMANDS).find((known) => known.startsWith(name.slice(0, 3)));
  const hint = close === undefined ? `expected ${Object.keys(COMMANDS).join(", ")}` : `did you mean ${close}?`;
  shell.printError(`llmsr: "${name}" is not a command (${hint}).\n`);
  return EXIT.usage;
}

async function help([topic]: readonly string[], shell: Shell): Promise<number> {
  if (topic === undefined) {
    shell.print(USAGE);
    return EXIT.ok;
  }
  const text = Object.hasOwn(TOPICS, topic) ? TOPICS[topic] : undefined;
  const entry = Object.hasOwn(COMMANDS, topic) ? COMMANDS[topic] : undefined;
  if (text === undefined && entry === undefined) {
    shell.printError(
      `llmsr: there is no help on "${topic}" (expected a command, ${Object.keys(TOPICS).join(", ")}).\n`,
    );
    return EXIT.usage;
  }
  shell.print(text ?? (await entry!.load()).usage);
  return EXIT.ok;
}
