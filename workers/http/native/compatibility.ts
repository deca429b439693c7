/** `/compatibility` and `/subjects/{s}/compatibility`: compatibility settings, and checks of changes. */
import { makeRefusal } from "../../../contract/errors.ts";
import type { JsonObject } from "../../../schema/json-text.ts";
import type { SchemaSide } from "../../registry/compatibility/compare.ts";
import {
  type CompatibilityVerdict,
  checkCandidate,
  checkPair,
  type VersionSuggestion,
} from "../../registry/compatibility/compatibility-check.ts";
import { contentText } from "../../registry/read/content-text.ts";
import {
  type EffectiveCompatibility,
  readCompatibility,
  resetCompatibility,
  type ScopeText,
  setCompatibility,
} from "../../registry/write/configure.ts";
import { type Answer, jsonAnswer, provenance } from "../answer.ts";
import { RegistryError, requireValue } from "../errors.ts";
import {
  contentNode,
  idempotencyKey,
  printContentText,
  requestedDataContract,
  requestedReferences,
  textParameter,
} from "./fields.ts";
import type { NativeRequest } from "./request.ts";
import type { Shape } from "./shapes.ts";

export async function getCompatibility(request: NativeRequest): Promise<Answer> {
  const { edge } = request;
  return effectiveAnswer(requireValue(await readCompatibility(edge, readScopeText(request))));
}

export async function putCompatibility(request: NativeRequest): Promise<Answer> {
  const { edge, caller } = request;
  const { level, policy, writers, group, role, enforce_version, undecided } =
    request.body as Shape<"CompatibilityChanges">;
  const changes = {
    ...(level === undefined ? {} : { compatibilityLevel: level }),
    ...(policy === undefined ? {} : { policy }),
    ...(writers === undefined ? {} : { writers }),
    ...(group === undefined ? {} : { compatibilityGroup: group }),
    ...(role === undefined ? {} : { role }),
    ...(enforce_version === undefined ? {} : { enforceVersion: enforce_version }),
    ...(undecided === undefined ? {} : { undecided }),
  };
  const set = await setCompatibility(edge, caller, readScopeText(request), changes, idempotencyKey(request));
  return effectiveAnswer(requireValue(set));
}

export async function deleteCompatibility(request: NativeRequest): Promise<Answer> {
  const { edge, caller } = request;
  return effectiveAnswer(
    requireValue(await resetCompatibility(edge, caller, readScopeText(request), idempotencyKey(request))),
  );
}

export async function checkCompatibility(request: NativeRequest): Promise<Answer> {
  const { edge } = request;
  const tree = request.tree!;
  const body = request.body as Shape<"CompatibilityQuestion">;
  const overrides = { policy: body.policy, writers: body.writers, role: body.role };
  if (body.reader !== undefined && body.writer !== undefined) {
    refuseBeside(body, "reader and writer", [
      "subject",
      "format",
      "content",
      "schema",
      "dialect",
      "references",
      "contract",
      "version",
      "level",
    ]);
    const reader = toSide(body.reader, tree.members.get("reader") as JsonObject, "/reader");
    const writer = toSide(body.writer, tree.members.get("writer") as JsonObject, "/writer");
    return verdictAnswer(requireValue(await checkPair(edge, { ...overrides, reader, writer })));
  }
  if (body.subject === undefined) {
    throw misshapen("Send either subject and content, or reader and writer.", "");
  }
  const content = contentNode(tree);
  refuseBeside(body, "subject and content", ["reader", "writer"]);
  const verdict = await checkCandidate(edge, {
    ...overrides,
    subject: body.subject,
    format: body.format,
    dialect: body.dialect,
    textFor: (format) => contentText(format, content),
    references: requestedReferences(body.references),
    contract: requestedDataContract(body.contract),
    version: body.version,
    level: body.level,
  });
  return verdictAnswer(requireValue(verdict));
}

function toSide(side: Shape<"SchemaSide">, tree: JsonObject, place: string): SchemaSide {
  if ("id" in side) return side;
  const { format, references, dialect } = side;
  return {
    format,
    text: printContentText(format, tree, place).text,
    references: requestedReferences(references),
    dialect,
  };
}

function refuseBeside(
  body: Shape<"CompatibilityQuestion">,
  present: string,
  others: readonly (keyof Shape<"CompatibilityQuestion">)[],
): void {
  const stray = others.find((name) => body[name] !== undefined);
  if (stray !== undefined) throw misshapen(`"${stray}" cannot be combined with ${present}.`, `/${stray}`);
}

function misshapen(detail: string, pointer: string): RegistryError {
  return new RegistryError(
    makeRefusal("BAD_REQUEST", [detail], detail, { items: [{ pointer, rule: "alternatives", message: detail }] }),
  );
}

function verdictAnswer(verdict: CompatibilityVerdict): Answer {
  const { compatible, level, policy, writers, role, differences, total, plan } = verdict;
  const { comparedVersions, warnings, suggestion, asOf, decidedBy } = verdict;
  const compared_versions = comparedVersions.map(({ record, compatible: holds }) => ({
    version: record.semver,
    version_number: record.versionNumber,
    id: record.id,
    compatible: holds,
  }));
  return jsonAnswer<Shape<"CompatibilityVerdict">>(
    200,
    {
      compatible,
      level,
      policy,
      decided_by: decidedBy,
      writers,
      role,
      differences,
      ...totalJson(differences, total),
      compared_versions,
      warnings,
      ...suggestionJson(suggestion),
      ...(plan === undefined ? {} : { plan }),
    },
    asOf === null ? {} : provenance(asOf, "primary"),
  );
}

/** The total number of differences, if a response does not list all. */
export function totalJson(differences: readonly unknown[], total: number) {
  return total > differences.length ? { differences_total: total } : {};
}

/** The suggested semver, the size of the step, and the reasons. */
export function suggestionJson(suggestion: VersionSuggestion | null) {
  return {
    suggested_version: suggestion?.semver ?? null,
    suggested_bump: suggestion?.bump ?? null,
    suggestion_reasons: suggestion?.reasons ?? [],
  };
}

function effectiveAnswer({ scope, effective, asOf }: EffectiveCompatibility): Answer {
  const { compatibilityLevel, policy, writers, compatibilityGroup = null, role = null, source } = effective;
  const { enforceVersion = false, undecided = "strict" } = effective;
  const body = {
    ...(scope.subject === "" ? {} : { subject: scope.subject }),
    context: scope.context,
    level: compatibilityLevel,
    policy,
    writers,
    group: compatibilityGroup,
    role,
    enforce_version: enforceVersion,
    undecided,
    source,
  };
  return jsonAnswer<Shape<"Compatibility">>(200, body, provenance(asOf, "primary"));
}

function readScopeText(request: NativeRequest): ScopeText {
  return { subject: request.path.subject, context: textParameter(request, "context") };
}
