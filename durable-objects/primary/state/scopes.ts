/** Scopes with config, mode, rules and associations, and their inheritance. */
import type { Config, EffectiveConfig, Mode } from "../../../registry/config.ts";
import { DEFAULT_CONTEXT, GLOBAL_CONTEXT, type SubjectName } from "../../../schema/subject-name.ts";

/** The settings of one scope, as JSON. */
export type ScopeRow = { config: string | null; mode: Mode | null; rules: string | null; associations: string | null };

/** Scopes from which every subject inherits. */
const TOP_SCOPES: readonly SubjectName[] = [
  { context: DEFAULT_CONTEXT, subject: "" },
  { context: GLOBAL_CONTEXT, subject: "" },
];

export function nameKey({ context, subject }: SubjectName): string {
  return `${context.length} ${context}${subject}`;
}

/** Reads a scope together with those it inherits from, because they are usually needed next. */
export function readScopes(sql: SqlStorage, name: SubjectName, scopes: Map<string, ScopeRow | undefined>): void {
  const { context, subject } = name;
  for (const scope of [name, { context, subject: "" }, ...TOP_SCOPES]) scopes.set(nameKey(scope), undefined);
  const rows = sql.exec<ScopeRow & SubjectName>(
    `SELECT * FROM scopes WHERE (context = +?1 AND subject IN (?2, '')) OR (context IN (?3, ?4) AND subject = '')`,
    context,
    subject,
    DEFAULT_CONTEXT,
    GLOBAL_CONTEXT,
  );
  for (const row of rows) scopes.set(nameKey(row), row);
}

/** The effective config of a name: its own over the top level's, else its context's, else the global one. */
export function inheritConfig(
  name: SubjectName,
  configOf: (scope: SubjectName) => Config | undefined,
): { config: Config; source: EffectiveConfig["source"] } {
  const { context, subject } = name;
  const own = subject === "" ? undefined : configOf(name);
  if (own) {
    const top = configOf({ context: DEFAULT_CONTEXT, subject: "" }) ?? {};
    const { normalize, validateFields, validateNewSchemas, validateRules, policy, compatibilityGroup, writers } = top;
    const { enforceVersion, undecided } = top;
    const inherited: Config = dropUndefined({
      normalize,
      validateFields,
      validateNewSchemas,
      validateRules,
      policy,
      compatibilityGroup,
      writers,
      enforceVersion,
      undecided,
    });
    return { config: { ...inherited, ...own }, source: "subject" };
  }
  const ofContext = configOf({ context, subject: "" });
  if (ofContext) return { config: ofContext, source: "context" };
  const global = configOf({ context: GLOBAL_CONTEXT, subject: "" });
  return global ? { config: global, source: "global" } : { config: {}, source: "default" };
}

function dropUndefined<T extends object>(value: T): { [K in keyof T]?: NonNullable<T[K]> } {
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined)) as never;
}
