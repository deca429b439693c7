/** llmsr diff, check and bump: two versions of a schema, from any source. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { nextSemver, parseSemver } from "../../schema/semver.ts";
import { toFindings } from "../check-local.ts";
import type { CliCommand } from "../command.ts";
import {
  COMPARISON_OPTIONS,
  COMPARISON_USAGE,
  type ComparisonOptions,
  compareBothWays,
  promisedDirections,
  RULES_USAGE,
  readComparisonOptions,
  suggestStep,
} from "../comparison.ts";
import { referenceFinder } from "../entries.ts";
import { EXIT } from "../exit-codes.ts";
import { parseRevision } from "../input/git.ts";
import { parseSchema, requireOneFormat, type Schema } from "../input/parse-schema.ts";
import { type InputOptions, readInput, readInputAtRevision } from "../input/read-inputs.ts";
import { FORMAT_OPTIONS, FORMAT_USAGE, readFormats } from "../output/formats.ts";
import { paintDirection, paintFor } from "../output/paint.ts";
import { printCheck } from "../output/print-check.ts";
import { parseOptions } from "../parse-options.ts";
import { openConfiguredRegistry, qualifySubject, REGISTRY_OPTIONS, type RegistryValues } from "../settings.ts";
import type { Shell } from "../shell.ts";
import { UsageError } from "../usage-error.ts";

export const INPUTS_USAGE = `A and B are files (.avsc, .json, .yaml, .proto), - for standard input, git:REVISION:PATH, SUBJECT@VERSION of a
registry, module:Model (Pydantic) or file.ts#export (Zod). A tool definition is unwrapped; FILE#/pointer names one
schema of a list of tools or of an OpenAPI document.
`;

const DIFF_USAGE = `llmsr diff lists every difference between two schemas, in both directions.

  llmsr diff A B                    each difference with its place, and a message that would break where one is found
  llmsr diff B --against git:main   B as it was at a git revision, and as it is

${INPUTS_USAGE}
${COMPARISON_USAGE}${RULES_USAGE}  --ref NAME=FILE    what a reference resolves to: a type name, a $ref URL or an import path; may be repeated
${FORMAT_USAGE}
Exit codes: 0 compatible in both directions, 1 not, 2 the question is wrong.
`;

const BUMP_USAGE = `llmsr bump says which version bump a change needs.

  llmsr bump A B                    none, patch, minor or major, and why
  llmsr bump A B --from 1.4.0       with the next version

${INPUTS_USAGE}
  --from SEMVER      the version of A, to print B's
${COMPARISON_USAGE}${RULES_USAGE}  --ref NAME=FILE    what a reference resolves to; may be repeated
${FORMAT_USAGE}`;

export const PAIR_OPTIONS = {
  ...COMPARISON_OPTIONS,
  ...FORMAT_OPTIONS,
  ...REGISTRY_OPTIONS,
  ref: { type: "string", multiple: true, default: [] as string[] },
  against: { type: "string" },
} as const;

type PairValues = Parameters<typeof readComparisonOptions>[0] &
  Parameters<typeof readFormats>[0] &
  RegistryValues & { ref: readonly string[]; against?: string | undefined };

type SchemaPair = { earlier: Schema; later: Schema; options: ComparisonOptions };

/** The two schemas of a command: two references, or one and `--against`. */
async function readPair(
  name: string,
  positionals: readonly string[],
  values: PairValues,
  shell: Shell,
): Promise<SchemaPair> {
  const [first, second, ...rest] = positionals;
  const isCounted = values.against === undefined ? second !== undefined : second === undefined;
  if (first === undefined || !isCounted || rest.length > 0) {
    throw new UsageError(`${name} takes two files, A and B, or one and --against.`);
  }
  const readFile = (path: string) => readFileSync(resolve(shell.cwd, path), "utf8");
  const comparison = readComparisonOptions(values, readFile);
  const options = readInputOptions(values, shell);
  const referencesOf = await referenceFinder(values.ref, options);
  const [earlier, later] =
    second === undefined
      ? [await readAgainst(values.against!, first, options), await readInput(first, options)]
      : [await readInput(first, options), await readInput(second, options)];
  requireOneFormat(earlier, later);
  const pair = {
    earlier: parseSchema(earlier, referencesOf(earlier)),
    later: parseSchema(later, referencesOf(later)),
    options: comparison,
  };
  for (const note of [...pair.earlier.notes, ...pair.later.notes]) shell.printError(`${note}\n`);
  return pair;
}

async function readAgainst(against: string, reference: string, options: InputOptions) {
  if (!against.startsWith("git:")) return readInput(against, options);
  const { revision, path = reference } = parseRevision(against);
  const found = await readInputAtRevision(revision, path, options);
  if (found === undefined) throw new UsageError(`${path} does not exist at ${revision}.`);
  return found;
}

export function readInputOptions(
  values: Parameters<typeof readFormats>[0] & RegistryValues,
  shell: Shell,
): InputOptions {
  return {
    shell,
    format: readFormats(values).schema,
    registry: () => {
      const { registry, settings } = openConfiguredRegistry(shell, values);
      return { registry, qualify: (subject) => qualifySubject(subject, settings) };
    },
  };
}

export const DIFF_COMMAND: CliCommand = {
  usage: DIFF_USAGE,
  options: PAIR_OPTIONS,
  async run(args, shell) {
    const { values, positionals } = parseOptions(args, PAIR_OPTIONS);
    const { output } = readFormats(values);
    const { earlier, later, options } = await readPair("diff", positionals, values, shell);
    const directions = compareBothWays(earlier, later, options);
    const paint = paintFor(shell.isTerminal);
    const compatible = directions.every((direction) => direction.compatible);
    if (output === "json") {
      shell.print(`${JSON.stringify({ format_version: 1, ...settingsOf(options), directions }, null, 2)}\n`);
    } else if (output === "text") {
      for (const direction of directions) {
        shell.print(paintDirection(direction.direction, toFindings(direction, earlier, later), paint));
      }
    } else {
      const report = (await import("../check-local.ts")).checkAgainst(later.place, earlier, later, {
        ...options,
        level: "FULL",
      });
      shell.print(await printCheck({ compatible, reports: [report], affected: [] }, output, paint));
    }
    return compatible ? EXIT.ok : EXIT.no;
  },
};

/** `llmsr check A B`. */
export async function checkTwo(positionals: readonly string[], values: PairValues, shell: Shell): Promise<number> {
  const { output } = readFormats(values);
  const { earlier, later, options } = await readPair("check", positionals, values, shell);
  const directions = promisedDirections(compareBothWays(earlier, later, options), options.level);
  const compatible = directions.every((direction) => direction.compatible);
  const paint = paintFor(shell.isTerminal);
  if (output === "json") {
    shell.print(`${JSON.stringify({ format_version: 1, compatible, ...settingsOf(options), directions }, null, 2)}\n`);
  } else if (output === "text") {
    for (const direction of directions) {
      if (direction.compatible) continue;
      shell.print(paintDirection(direction.direction, toFindings(direction, earlier, later), paint));
    }
    const verdict = compatible ? paint.good("compatible") : paint.bad("incompatible");
    shell.print(`${verdict} under ${options.level}, ${options.policy}, writers: ${options.writers}\n`);
  } else {
    const report = (await import("../check-local.ts")).checkAgainst(later.place, earlier, later, options);
    shell.print(await printCheck({ compatible, reports: [report], affected: [] }, output, paint));
  }
  return compatible ? EXIT.ok : EXIT.no;
}

const BUMP_OPTIONS = { ...PAIR_OPTIONS, from: { type: "string" } } as const;

export const BUMP_COMMAND: CliCommand = {
  usage: BUMP_USAGE,
  options: BUMP_OPTIONS,
  async run(args, shell) {
    const { values, positionals } = parseOptions(args, BUMP_OPTIONS);
    const { output } = readFormats(values);
    const { earlier, later, options } = await readPair("bump", positionals, values, shell);
    const suggestion = suggestStep(earlier, later, options);
    const from = values.from === undefined ? undefined : parseSemver(values.from);
    if (values.from !== undefined && from === undefined) {
      throw new UsageError(`--from must be a semantic version such as 1.4.0, got "${values.from}".`);
    }
    const semver =
      from === undefined ? undefined : suggestion.bump === "none" ? from : nextSemver(from, suggestion.bump);
    if (output === "json") {
      const answer = { format_version: 1, ...suggestion, ...(semver ? { semver } : {}), ...settingsOf(options) };
      shell.print(`${JSON.stringify(answer, null, 2)}\n`);
    } else {
      shell.print(`${paintFor(shell.isTerminal).strong(suggestion.bump)}${semver ? ` → ${semver}` : ""}\n`);
      for (const reason of suggestion.reasons) shell.print(`  ${reason}\n`);
    }
    return EXIT.ok;
  },
};

function settingsOf({ level, policy, writers, role }: ComparisonOptions) {
  return { level, policy, writers, role };
}
