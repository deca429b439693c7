/**
 * Size limits for data stored with a text: metadata, rule sets, configs and free JSON. They are kept in rows, entries
 * and responses, which the platform limits to 2 MB each, and are read with every version.
 */
import type { RegisterCommand } from "../../../registry/commands.ts";
import type { Config } from "../../../registry/config.ts";
import type { DataContract } from "../../../schema/rules/data-contract.ts";
import { type Refused, refused } from "./decision.ts";

/** Limit for each of metadata, rule set and free metadata set by the native API; bytes of JSON. */
export const MAX_NATIVE_PART_BYTES = 64 * 1024;
/**
 * Limit for everything stored with one record's text, or for one scope's config, as sent to the Confluent API and after
 * merging; bytes of JSON.
 */
export const MAX_TOGETHER_BYTES = 512 * 1024;

/** The parts of a registration besides its text. */
export function contractProblem(
  command: Pick<RegisterCommand, "api" | "metadata" | "ruleSet" | "attributes">,
): Refused | undefined {
  const { api, metadata, ruleSet, attributes } = command;
  if (api === "confluent") return mergedContractProblem({ metadata, ruleSet });
  return (
    partProblem(metadata, "/contract/metadata") ??
    partProblem(ruleSet, "/contract/rule_set") ??
    attributesProblem(attributes.metadata)
  );
}

/** The data contract as it would be stored, including what the config adds. */
export function mergedContractProblem({ metadata, ruleSet }: DataContract): Refused | undefined {
  const bytes = countBytes(metadata) + countBytes(ruleSet);
  if (bytes <= MAX_TOGETHER_BYTES) return undefined;
  const pointer = countBytes(metadata) > countBytes(ruleSet) ? "/metadata" : "/ruleSet";
  return tooLarge(`Metadata and rule set together, with what is configured, have ${bytes} bytes`, pointer);
}

/** The free JSON for the owner's use. */
export function attributesProblem(metadata: unknown): Refused | undefined {
  return partProblem(metadata, "/metadata");
}

/** The config that a scope would have. */
export function configProblem(config: Config): Refused | undefined {
  const bytes = countBytes(config);
  if (bytes <= MAX_TOGETHER_BYTES) return undefined;
  const [largest] = Object.entries(config).toSorted(([, a], [, b]) => countBytes(b) - countBytes(a));
  const pointer = `/${largest?.[0] ?? ""}`;
  return tooLarge(`The config has ${bytes} bytes, most of them in "${pointer.slice(1)}"`, pointer);
}

function partProblem(value: unknown, pointer: string): Refused | undefined {
  const bytes = countBytes(value);
  if (bytes <= MAX_NATIVE_PART_BYTES) return undefined;
  return tooLarge(`"${pointer}" has ${bytes} bytes`, pointer, MAX_NATIVE_PART_BYTES);
}

function tooLarge(what: string, pointer: string, most = MAX_TOGETHER_BYTES): Refused {
  const detail = `${what} as JSON; at most ${most} are accepted.`;
  return refused("UNPROCESSABLE", [detail], detail, { items: [{ pointer, rule: "maxBytes", message: detail }] });
}

function countBytes(value: unknown): number {
  return value === undefined || value === null ? 0 : Buffer.byteLength(JSON.stringify(value));
}
