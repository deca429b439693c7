/**
 * Where a command's registry, key and context come from: option, environment, llmsr.toml, the user's own configuration,
 * default. A cloned llmsr.toml cannot collect keys: stored ones belong to one URL and are sent to no other, and LLMSR_KEY
 * is not sent where llmsr.toml alone names the registry.
 */
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { stringify as printToml } from "smol-toml";
import { type Address, isAuthorized, parseAddress, withKey } from "./address.ts";
import { findProjectFile, type ProjectFile, parseConfiguration } from "./project-file.ts";
import { Registry } from "./registry.ts";
import type { Shell } from "./shell.ts";
import { UsageError } from "./usage-error.ts";

export const DEFAULT_URL = "http://localhost:8080";

/** The options of every command that talks to a registry. */
export const REGISTRY_OPTIONS = {
  url: { type: "string" },
  key: { type: "string" },
  context: { type: "string" },
  header: { type: "string", multiple: true, default: [] as string[] },
} as const;

export const REGISTRY_USAGE = `  --url URL          the registry (LLMSR_URL, then llmsr.toml, then ${DEFAULT_URL})
  --key KEY          an API key (LLMSR_KEY, then what \`llmsr login\` stored); ends up in the shell's history
  --context CONTEXT  of bare subject names (LLMSR_CONTEXT)
  --header HEADER    sent with every request, such as "X-Tenant: a"; may be repeated
`;

export type RegistryValues = {
  url?: string | undefined;
  key?: string | undefined;
  context?: string | undefined;
  header?: readonly string[] | undefined;
};

type Setting<Value> = { value: Value; source: string };

type ResolvedSettings = {
  url: Setting<string>;
  key: Setting<string | undefined>;
  context: Setting<string | undefined>;
  headers: Readonly<Record<string, string>>;
  project: ProjectFile | undefined;
  /** LLMSR_KEY is the only credential, but only llmsr.toml names the registry. */
  isKeyKeptBack: boolean;
};

export function resolveSettings(shell: Shell, values: RegistryValues): ResolvedSettings {
  const project = findProjectFile(shell.cwd);
  const user = readUserConfiguration(shell.env);
  const given = firstOf<string>([
    [values.url, "--url"],
    [shell.env.LLMSR_URL, "LLMSR_URL"],
    [project?.url, project?.file ?? ""],
    [user.url, user.file],
    [DEFAULT_URL, "the default"],
  ])!;
  const { url, headers } = parseAddress(given.value, values.header ?? []);
  const isChosenByProject = given.source === project?.file;
  const key = firstOf<string | undefined>([
    [values.key, "--key"],
    [isChosenByProject ? undefined : shell.env.LLMSR_KEY, "LLMSR_KEY"],
    [readStoredKey(shell.env, url), keysFile(shell.env)],
  ]) ?? { value: undefined, source: "none" };
  const isAnonymous = key.value === undefined && !isAuthorized(headers);
  return {
    url: { ...given, value: url },
    key,
    isKeyKeptBack: isChosenByProject && isAnonymous && Boolean(shell.env.LLMSR_KEY),
    context: firstOf<string | undefined>([
      [values.context, "--context"],
      [shell.env.LLMSR_CONTEXT, "LLMSR_CONTEXT"],
      [project?.context, project?.file ?? ""],
      [user.context, user.file],
    ]) ?? { value: undefined, source: "the default" },
    headers,
    project,
  };
}

export function openConfiguredRegistry(
  shell: Shell,
  values: RegistryValues,
): { registry: Registry; settings: ResolvedSettings } {
  const settings = resolveSettings(shell, values);
  return { settings, registry: new Registry(toAddress(settings), shell) };
}

/** Where requests go, and with which credentials. */
export function toAddress({ url, key, headers, isKeyKeptBack }: ResolvedSettings): Address {
  if (isKeyKeptBack) {
    throw new UsageError(
      `LLMSR_KEY is not sent to ${url.value}, which only ${url.source} names: a repository must not choose who gets your key. If you trust that registry, set LLMSR_URL to it as well, or store its key with \`llmsr login ${url.value}\`.`,
    );
  }
  return { url: url.value, headers: withKey(headers, key.value) };
}

/** Arguments of which the first may be the registry's URL. */
export function takeUrl<Values extends RegistryValues>({
  values,
  positionals,
}: {
  values: Values;
  positionals: string[];
}) {
  const [first = "", ...rest] = positionals;
  return /^[a-z]+:\/\//.test(first) ? { values: { ...values, url: first }, rest } : { values, rest: positionals };
}

/** A subject's qualified name, in the configured context unless it names one. */
export function qualifySubject(subject: string, { context }: Pick<ResolvedSettings, "context">): string {
  const { value } = context;
  if (value === undefined || value === "." || subject.startsWith(":.")) return subject;
  return `:${value.startsWith(".") ? value : `.${value}`}:${subject}`;
}

function firstOf<Value>(candidates: readonly (readonly [Value | undefined, string])[]): Setting<Value> | undefined {
  const found = candidates.find(([value]) => value !== undefined && value !== "");
  return found === undefined ? undefined : { value: found[0] as Value, source: found[1] };
}

function userFolder(env: Shell["env"]): string {
  return join(env.XDG_CONFIG_HOME || join(env.HOME || homedir(), ".config"), "llmsr");
}

function readUserConfiguration(env: Shell["env"]): { file: string; url?: string; context?: string } {
  const file = join(userFolder(env), "config.toml");
  if (!existsSync(file)) return { file };
  const { url, context } = parseConfiguration(file, readFileSync(file, "utf8"));
  return {
    file,
    ...(typeof url === "string" ? { url } : {}),
    ...(typeof context === "string" ? { context } : {}),
  };
}

export function keysFile(env: Shell["env"]): string {
  return join(userFolder(env), "keys.toml");
}

function readKeys(env: Shell["env"]): Record<string, string> {
  const file = keysFile(env);
  if (!existsSync(file)) return {};
  const { keys = {} } = parseConfiguration(file, readFileSync(file, "utf8"));
  if (typeof keys !== "object" || keys === null) throw new UsageError(`${file}: keys is not a table of URLs.`);
  return keys as Record<string, string>;
}

function readStoredKey(env: Shell["env"], url: string): string | undefined {
  const keys = readKeys(env);
  return Object.hasOwn(keys, url) ? keys[url] : undefined;
}

/** Stores a key for one URL, or forgets it. Only the user may read the file. */
export function storeKey(env: Shell["env"], url: string, key: string | undefined): string {
  const file = keysFile(env);
  const { [url]: _, ...others } = readKeys(env);
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  writeFileSync(file, printToml({ keys: key === undefined ? others : { ...others, [url]: key } }), { mode: 0o600 });
  // The mode above applies to new files only.
  chmodSync(file, 0o600);
  return file;
}
