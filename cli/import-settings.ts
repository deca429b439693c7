/** Copies config and modes of a registry: of the top level, the global context, contexts, subjects and aliases. */
import type { RemoteRegistry } from "./remote-registry.ts";
import { inTurns } from "./turns.ts";

/** The context from which all others inherit. */
const GLOBAL_SCOPE = ":.__GLOBAL:";

/** Temporary modes, for example during an import; they are not copied. */
const PASSING_MODES = new Set(["IMPORT", "FORWARD"]);

type Settings = { config: object | undefined; mode: string | undefined };

/** Every scope that may be configured, widest first; the empty one is the top level. */
export async function settingScopes(registry: RemoteRegistry, contexts: readonly string[]): Promise<string[]> {
  const names = await inTurns(contexts, async (context) => [
    ...(context === "." ? [] : [`:${context}:`]),
    ...(await registry.subjects(context)),
    ...(await registry.aliases(context)),
  ]);
  return ["", GLOBAL_SCOPE, ...new Set(names.flat())];
}

/**
 * Sets settings that differ. A read-only scope accepts no config, so modes come last, and those of the widest scopes at
 * the very end.
 */
export async function copySettings(source: RemoteRegistry, target: RemoteRegistry, scopes: readonly string[]) {
  let copied = 0;
  await inTurns(scopes, async (scope) => {
    const { config } = await readSettings(source, scope);
    const { config: there } = await readSettings(target, scope);
    if (config === undefined || isEqual(config, there)) return;
    const { compatibilityLevel, ...rest } = config as { compatibilityLevel?: string };
    const body = { ...rest, ...(compatibilityLevel ? { compatibility: compatibilityLevel } : {}) };
    await target.put(`/config${pathOf(scope)}`, body);
    copied += 1;
  });
  for (const scope of [...scopes].reverse()) {
    const { mode } = await readSettings(source, scope);
    const { mode: there } = await readSettings(target, scope);
    if (mode === undefined || mode === there || PASSING_MODES.has(mode)) continue;
    await target.put(`/mode${pathOf(scope)}`, { mode });
    copied += 1;
  }
  return copied;
}

/** The settings that differ between target and source, one line each. */
export async function settingDifferences(source: RemoteRegistry, target: RemoteRegistry, scopes: readonly string[]) {
  const found = await inTurns(scopes, async (scope) => {
    const [expected, given] = [await readSettings(source, scope), await readSettings(target, scope)];
    const of = scope === "" ? "the top level" : scope;
    const isPassing = PASSING_MODES.has(expected.mode ?? "");
    return [
      ...(isEqual(expected.config, given.config)
        ? []
        : [`config of ${of} is ${printed(given.config)} instead of ${printed(expected.config)}`]),
      ...(isPassing || expected.mode === given.mode
        ? []
        : [`mode of ${of} is ${given.mode ?? "not set"} instead of ${expected.mode ?? "not set"}`]),
    ];
  });
  return found.flat();
}

async function readSettings(registry: RemoteRegistry, scope: string): Promise<Settings> {
  const config = await registry.get(`/config${pathOf(scope)}`);
  const mode = (await registry.get(`/mode${pathOf(scope)}`)) as { mode?: string } | undefined;
  return { config, mode: mode?.mode };
}

function pathOf(scope: string): string {
  return scope === "" ? "" : `/${encodeURIComponent(scope)}`;
}

function printed(config: object | undefined): string {
  return config === undefined ? "not set" : JSON.stringify(config);
}

function isEqual(a: unknown, b: unknown): boolean {
  return JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));
}

/** Normalises the order of a config's members, which differs between registries. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, member]) => [key, sorted(member)]),
  );
}
