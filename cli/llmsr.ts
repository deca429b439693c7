/**
 * llmsr: the registry's verdicts on schema files, without a server. Exit codes for CI: 0 compatible, 1 incompatible, 2
 * an unreadable file or invalid argument.
 */
import { readFileSync } from "node:fs";
import { NO_CHANGE, suggestBump } from "../schema/bump.ts";
import {
  COMPATIBILITY_LEVELS,
  type CompatibilityLevel,
  isCompatible,
  LEVEL_CHECKS,
  POLICIES,
  type Policy,
  WRITER_ASSUMPTIONS,
  type WriterAssumption,
} from "../schema/compatibility.ts";
import { judgeParsed } from "../schema/facts.ts";
import { formatNamed } from "../schema/formats.ts";
import { defaultLevelFor, differencesForRole, ROLES, type Role } from "../schema/rules/roles.ts";
import { applyOverrides, type RuleBook, type RuledDifference } from "../schema/rules/rule-book.ts";
import { nextSemver, parseSemver } from "../schema/semver.ts";
import { DEFAULT_WITNESS_ATTEMPTS, type Witness } from "../schema/witness.ts";
import { parseOptions } from "./parse-options.ts";
import { readRuleFile } from "./read-rules.ts";
import { readSchema, type Schema } from "./read-schema.ts";
import { splitReference } from "./references.ts";
import { type Painter, paintFor, renderDifferences } from "./render.ts";
import { UsageError } from "./usage-error.ts";

const USAGE = `llmsr compares two versions of a schema. No server, no network.

  llmsr diff  A B    every difference, in both directions, with a message that would break where one is found
  llmsr check A B    is B compatible with A? exit code 1 if not
  llmsr bump  A B    the semver step that A to B asks for
  llmsr validate FILE --schema SCHEMA    does a value keep to a schema: llmsr validate --help
  llmsr stream --schema SCHEMA           does an answer that is still arriving: llmsr stream --help
  llmsr bundle SCHEMA                    one text without references: llmsr bundle --help
  llmsr lint FILE    which model providers take a schema: llmsr lint --help
  llmsr project FILE a schema rewritten for one model provider: llmsr project --help
  llmsr audit        verifies that a registry's log has not been altered: llmsr audit --help
  llmsr propose      changes that wait for approval, with approve and reject: llmsr propose --help
  llmsr promote      a version to another context or registry: llmsr promote --help
  llmsr person       everything about a person, and llmsr erase: the erasure: llmsr person --help
  llmsr import       copies another registry into this one, over the network: llmsr import --help

A and B are files: .avsc (Avro), .json (JSON Schema), .proto (Protobuf). A tool definition is unwrapped; FILE#/pointer
names one schema of a list of tools or of an OpenAPI document.

  --level LEVEL      ${COMPATIBILITY_LEVELS.join(", ")}
                     (BACKWARD; FORWARD under the role model_output)
  --policy POLICY    ${POLICIES.join(", ")} (semantic)
  --writers WHICH    ${WRITER_ASSUMPTIONS.join(" or ")}: what a writer is assumed to produce (declared)
  --role ROLE        ${ROLES.join(", ")} (data)
  --rules FILE       a rule book as the registry's API has it: {"rules": […], "overrides": […], "exceptions": […]}
  --format FORMAT    avro, json-schema or protobuf, where the file's ending does not say
  --ref NAME=FILE    what a reference resolves to: a type name, a $ref URL or an import path; may be repeated
  --from SEMVER      bump: the version of A, to print B's
  --seed N           which witnesses are tried (1)
  --no-witness       do not look for messages that would break
  --json             one JSON document instead of text
`;

type Options = {
  level: CompatibilityLevel;
  policy: Policy;
  writers: WriterAssumption;
  role: Role;
  book: RuleBook;
  seed: number;
  witness: boolean;
  json: boolean;
  from: string | undefined;
};

type Direction = {
  direction: "backward" | "forward";
  compatible: boolean;
  differences: (RuledDifference & { witness?: Witness })[];
};

/** A command's output streams: results go to standard output, everything else to standard error. */
export type Output = { print(text: string): void; printError(text: string): void; isTerminal: boolean };

export function run(args: readonly string[], output: Output): number {
  try {
    return runCommand(args, output);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    output.printError(`llmsr: ${error.message}\n`);
    return 2;
  }
}

function runCommand(args: readonly string[], { print, printError, isTerminal }: Output): number {
  const { values, positionals } = parse(args);
  const [command, earlierFile, laterFile, ...rest] = positionals;
  if (values.help) {
    print(USAGE);
    return 0;
  }
  if (command === undefined) {
    printError(USAGE);
    return 2;
  }
  if (command !== "diff" && command !== "check" && command !== "bump") {
    throw new UsageError(
      `"${command}" is not a command (expected diff, check, bump, validate, stream, lint, project, bundle, audit, propose, approve, reject or import).`,
    );
  }
  if (!earlierFile || !laterFile || rest.length > 0) throw new UsageError(`${command} takes two files, A and B.`);
  const readFile = (path: string) => readFileSync(path, "utf8");
  const role = oneOf("role", values.role, ROLES);
  const level = values.level?.toUpperCase() ?? defaultLevelFor(role, "BACKWARD");
  const options: Options = {
    level: oneOf("level", level, COMPATIBILITY_LEVELS),
    policy: oneOf("policy", values.policy, POLICIES),
    writers: oneOf("writers", values.writers, WRITER_ASSUMPTIONS),
    role,
    book: readRuleFile(values.rules, readFile),
    seed: wholeNumber("seed", values.seed),
    witness: !values["no-witness"],
    json: values.json,
    from: values.from,
  };
  const references = values.ref.map(splitReference);
  const read = (file: string) => readSchema(file, values.format, references, readFile);
  const earlier = read(earlierFile);
  const later = read(laterFile);
  if (earlier.format !== later.format) {
    throw new UsageError(
      `${earlierFile} is ${earlier.format} and ${laterFile} is ${later.format}; one subject holds one format.`,
    );
  }
  for (const note of [...earlier.notes, ...later.notes]) printError(`${note}\n`);
  return COMMANDS[command](earlier, later, options, print, paintFor(isTerminal));
}

type RunCommand = (
  earlier: Schema,
  later: Schema,
  options: Options,
  print: (text: string) => void,
  paint: Painter,
) => number;

const COMMANDS: Record<"diff" | "check" | "bump", RunCommand> = {
  diff(earlier, later, options, print, paint) {
    const directions = compareBothWays(earlier, later, options);
    if (options.json) print(`${JSON.stringify({ ...summary(options), directions }, null, 2)}\n`);
    else for (const direction of directions) print(renderDifferences(direction, paint));
    return directions.every(({ compatible }) => compatible) ? 0 : 1;
  },

  check(earlier, later, options, print, paint) {
    const promised = LEVEL_CHECKS[options.level];
    const directions = compareBothWays(earlier, later, options).filter(({ direction }) => promised[direction]);
    const compatible = directions.every((direction) => direction.compatible);
    if (options.json) print(`${JSON.stringify({ compatible, ...summary(options), directions }, null, 2)}\n`);
    else {
      for (const direction of directions) if (!direction.compatible) print(renderDifferences(direction, paint));
      const verdict = compatible ? paint.good("compatible") : paint.bad("incompatible");
      print(`${verdict} under ${options.level}, ${options.policy}, writers: ${options.writers}\n`);
    }
    return compatible ? 0 : 1;
  },

  bump(earlier, later, options, print, paint) {
    const { canonicalText } = formatNamed(earlier.format);
    const isUnchanged = canonicalText(earlier.model) === canonicalText(later.model);
    const [backward, forward] = compareBothWays(earlier, later, {
      ...options,
      witness: false,
      // An exception allows a break, which still counts as breaking.
      book: { ...options.book, exceptions: [] },
    });
    const suggestion = isUnchanged
      ? NO_CHANGE
      : suggestBump({ backward: backward.differences, forward: forward.differences }, options.level);
    const from = options.from === undefined ? undefined : parseSemver(options.from);
    if (options.from !== undefined && from === undefined) {
      throw new UsageError(`--from must be a semantic version such as 1.4.0, got "${options.from}".`);
    }
    const semver =
      from === undefined ? undefined : suggestion.bump === "none" ? from : nextSemver(from, suggestion.bump);
    if (options.json)
      print(`${JSON.stringify({ ...suggestion, ...(semver ? { semver } : {}), ...summary(options) }, null, 2)}\n`);
    else {
      print(`${paint.strong(suggestion.bump)}${semver ? ` → ${semver}` : ""}\n`);
      for (const reason of suggestion.reasons) print(`  ${reason}\n`);
    }
    return 0;
  },
};

function summary({ level, policy, writers, role }: Options) {
  return { level, policy, writers, role };
}

function compareBothWays(earlier: Schema, later: Schema, options: Options): [Direction, Direction] {
  return [compareOneWay("backward", later, earlier, options), compareOneWay("forward", earlier, later, options)];
}

function compareOneWay(direction: Direction["direction"], reader: Schema, writer: Schema, options: Options): Direction {
  const format = formatNamed(reader.format);
  if (!format.policies.includes(options.policy)) {
    throw new UsageError(
      `Policy ${options.policy} does not apply to ${reader.format}; expected ${format.policies.join(", ")}.`,
    );
  }
  const { policy, writers, role, book } = options;
  const comparison = judgeParsed(format, reader, writer, { policy, writers, role, rules: book.rules });
  if (!comparison.ok) {
    const { pointer, message } = comparison.refusal;
    throw new UsageError(`Too complex to decide, at ${pointer}: ${message}`);
  }
  const ruled = applyOverrides(comparison.value, book, Date.now());
  const breaking = ruled.filter(({ severity }) => severity === "breaking");
  const witnesses = options.witness
    ? format.witnesses(reader.model, writer.model, breaking, {
        seed: options.seed,
        maxAttempts: DEFAULT_WITNESS_ATTEMPTS,
        writers,
      })
    : [];
  const proven = new Map(breaking.map((difference, index) => [difference, witnesses[index]]));
  const differences = differencesForRole(ruled, role).map((difference, index) => {
    const witness = proven.get(ruled[index]!);
    return witness ? { ...difference, witness } : difference;
  });
  return { direction, compatible: isCompatible(ruled), differences };
}

function parse(args: readonly string[]) {
  return parseOptions(args, {
    level: { type: "string" },
    policy: { type: "string", default: "semantic" },
    writers: { type: "string", default: "declared" },
    role: { type: "string", default: "data" },
    rules: { type: "string" },
    format: { type: "string" },
    ref: { type: "string", multiple: true, default: [] },
    from: { type: "string" },
    seed: { type: "string", default: "1" },
    "no-witness": { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    help: { type: "boolean", short: "h", default: false },
  });
}

function oneOf<T extends string>(name: string, text: string, allowed: readonly T[]): T {
  const found = allowed.find((value) => value === text);
  if (found === undefined) throw new UsageError(`--${name} must be one of ${allowed.join(", ")}, got "${text}".`);
  return found;
}

function wholeNumber(name: string, text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new UsageError(`--${name} must be a whole number, got "${text}".`);
  return Number(text);
}
