/**
 * llmsr: what the registry would say of two schemas, without a server.
 *
 * Exit codes for CI: 0 compatible, 1 incompatible, 2 a file or an argument cannot be used.
 */
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { suggestBump } from "../schema/bump.ts";
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
import { differencesForRole, ROLES, type Role } from "../schema/rules/roles.ts";
import { applyOverrides, type RuleBook, type RuledDifference } from "../schema/rules/rule-book.ts";
import { nextSemver, parseSemver } from "../schema/semver.ts";
import { DEFAULT_WITNESS_ATTEMPTS, type Witness } from "../schema/witness.ts";
import { readRules } from "./read-rules.ts";
import { readSchema, type Schema } from "./read-schema.ts";
import { type Painter, paintFor, renderDifferences } from "./render.ts";

const USAGE = `llmsr compares two versions of a schema. No server, no network.

  llmsr diff  A B    every difference, in both directions, with a message that would break where one is found
  llmsr check A B    is B compatible with A? exit code 1 if not
  llmsr bump  A B    the semver step that A to B asks for
  llmsr import       copies another registry into this one, over the network: llmsr import --help

A and B are files: .avsc (Avro), .json (JSON Schema), .proto (Protobuf).

  --level LEVEL      ${COMPATIBILITY_LEVELS.join(", ")} (BACKWARD)
  --policy POLICY    ${POLICIES.join(", ")} (semantic)
  --writers WHICH    ${WRITER_ASSUMPTIONS.join(" or ")}: what a writer is assumed to produce (declared)
  --role ROLE        ${ROLES.join(", ")} (data)
  --rules FILE       a rule book as the registry's API has it: {"rules": […], "overrides": […], "exceptions": […]}
  --format FORMAT    avro, json-schema or protobuf, where the file's ending does not say
  --ref NAME=FILE    what a reference resolves to: a type name, a $ref URL or an import path; may be repeated
  --from LABEL       bump: the semver of A, to print B's
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

/** A wrong argument or an unreadable schema: what to tell the person, exit code 2. */
export class UsageError extends Error {}

export function run(args: readonly string[], print: (text: string) => void, isTerminal: boolean): number {
  try {
    return runCommand(args, print, paintFor(isTerminal));
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    print(`llmsr: ${error.message}\n`);
    return 2;
  }
}

function runCommand(args: readonly string[], print: (text: string) => void, paint: Painter): number {
  const { values, positionals } = parse(args);
  const [command, earlierFile, laterFile, ...rest] = positionals;
  if (values.help || command === undefined) {
    print(USAGE);
    return command === undefined && !values.help ? 2 : 0;
  }
  if (command !== "diff" && command !== "check" && command !== "bump") {
    throw new UsageError(`"${command}" is no command; there are diff, check, bump and import.`);
  }
  if (!earlierFile || !laterFile || rest.length > 0) throw new UsageError(`${command} takes two files, A and B.`);
  const readFile = (path: string) => readFileSync(path, "utf8");
  const options: Options = {
    level: oneOf("level", values.level.toUpperCase(), COMPATIBILITY_LEVELS),
    policy: oneOf("policy", values.policy, POLICIES),
    writers: oneOf("writers", values.writers, WRITER_ASSUMPTIONS),
    role: oneOf("role", values.role, ROLES),
    book: readRules(values.rules, readFile),
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
  return COMMANDS[command](earlier, later, options, print, paint);
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
    const [backward, forward] = compareBothWays(earlier, later, {
      ...options,
      witness: false,
      // An exception lets a break through and leaves it one.
      book: { ...options.book, exceptions: [] },
    });
    const suggestion = suggestBump({ backward: backward.differences, forward: forward.differences }, options.level);
    const from = options.from === undefined ? undefined : parseSemver(options.from);
    if (options.from !== undefined && from === undefined) {
      throw new UsageError(`--from takes a semver semver such as 1.4.0, got "${options.from}".`);
    }
    const semver = from === undefined ? undefined : nextSemver(from, suggestion.bump);
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
      `Policy ${options.policy} does not apply to ${reader.format}; there are ${format.policies.join(", ")}.`,
    );
  }
  const { policy, writers, role, book } = options;
  const comparison = judgeParsed(format, reader, writer, { policy, writers, role, rules: book.rules });
  if (!comparison.ok) throw new UsageError(`Too complex to decide, at ${comparison.pointer}: ${comparison.message}`);
  const ruled = applyOverrides(comparison.differences, book, Date.now());
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
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        level: { type: "string", default: "BACKWARD" },
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
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function oneOf<T extends string>(name: string, text: string, allowed: readonly T[]): T {
  const found = allowed.find((value) => value === text);
  if (found === undefined) throw new UsageError(`--${name} is one of ${allowed.join(", ")}, got "${text}".`);
  return found;
}

function wholeNumber(name: string, text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new UsageError(`--${name} takes a whole number, got "${text}".`);
  return Number(text);
}

function splitReference(text: string): { name: string; file: string } {
  const at = text.lastIndexOf("=");
  if (at <= 0) throw new UsageError(`--ref takes NAME=FILE, got "${text}".`);
  return { name: text.slice(0, at), file: text.slice(at + 1) };
}
