/** Registration of a schema as a subject's next version, or as a draft. */

import type { Refusal } from "../../../contract/errors.ts";
import { makeRefusal } from "../../../contract/errors.ts";
import type { RegisterCommand, Registered } from "../../../registry/commands.ts";
import type { AsOf } from "../../../registry/log-entry.ts";
import type { Attributes, RequestedReference } from "../../../registry/record.ts";
import type { Caller } from "../../../registry/rpc.ts";
import type { CompatibilityLevel } from "../../../schema/compatibility.ts";
import type { FormatName, JsonDialect, SchemaProblem } from "../../../schema/format.ts";
import { ok, type Result, refuse } from "../../../schema/result.ts";
import type { DataContract } from "../../../schema/rules/data-contract.ts";
import { parseSemver } from "../../../schema/semver.ts";
import type { Edge } from "../../edge.ts";
import { NATIVE_DIALECT } from "../native-dialect.ts";
import { parseNewSubject } from "../read/subject-names.ts";
import { commitCommand } from "./commit.ts";
import { proposeInstead } from "./proposals.ts";
import { withWitnesses } from "./refusal-witnesses.ts";

export type Registration = {
  subject: string;
  /** The context of an unqualified `subject`; undefined: the default context. */
  context: string | undefined;
  format: FormatName;
  text: string;
  references: readonly RequestedReference[];
  contract: DataContract;
  /** From the request; null for the default. */
  dialect: JsonDialect | null;
  semver: string | null;
  compatibilityLevel: CompatibilityLevel | null;
  state: "draft" | "active";
  /** Only those present in the request. */
  attributes: Partial<Attributes>;
};

type RegistrationResult = {
  registered: Registered;
  asOf: AsOf;
  /** The record's canonical text, if this registration stored it. */
  text: string | undefined;
};

export async function register(
  edge: Edge,
  caller: Caller,
  registration: Registration,
  options: { idempotencyKey?: string | undefined },
): Promise<Result<RegistrationResult, Refusal>> {
  const command = registerCommand(registration);
  if (!command.ok) return command;
  const { format, text, references, dialect, name } = command.value;
  const inline = { format, text, references, dialect };
  const committed = await commitCommand(edge, caller, command.value, options);
  if (!committed.ok && committed.refusal.error === "PROTECTED") {
    return refuse(await proposeInstead(edge, caller, committed.refusal, [command.value]));
  }
  if (!committed.ok) return refuse(await withWitnesses(edge, committed.refusal, inline, name.context));
  const registered = committed.value.outcome as Registered;
  const differing = registered.created ? [] : differingAttributes(registered.record.attributes, registration);
  return ok({
    registered: { ...registered, warnings: [...registered.warnings, ...differing] },
    asOf: committed.value.asOf,
    text: committed.value.registeredText,
  });
}

export function registerCommand(registration: Registration): Result<RegisterCommand, Refusal> {
  const parsed = parseNewSubject(registration.subject, registration.context);
  if (!parsed.ok) return parsed;
  const semver = registration.semver === null ? null : parseSemver(registration.semver);
  if (semver === undefined) return refuse(invalidSemver(registration.semver!));
  const { format, text, references, contract, dialect, compatibilityLevel, state } = registration;
  return ok({
    type: "register",
    api: "native",
    name: parsed.value,
    format,
    text,
    references,
    metadata: contract.metadata,
    ruleSet: contract.ruleSet,
    normalise: false,
    dialect: dialect ?? NATIVE_DIALECT,
    ...(dialect === null ? {} : { namesDialect: true }),
    versionNumber: null,
    semver,
    confluentId: null,
    state,
    attributes: completeAttributes(registration.attributes),
    compatibilityLevel,
    force: false,
  });
}

function completeAttributes(given: Partial<Attributes>): Attributes {
  return {
    description: given.description ?? null,
    tags: given.tags ?? [],
    owner: given.owner ?? null,
    metadata: given.metadata ?? {},
    role: given.role ?? null,
  };
}

/** An existing record keeps its attributes; a request with different ones gets a warning. */
function differingAttributes(stored: Attributes, { attributes }: Registration): SchemaProblem[] {
  return Object.entries(attributes).flatMap(([name, value]) => {
    if (JSON.stringify(value) === JSON.stringify(stored[name as keyof Attributes])) return [];
    const message = `The content is already registered and keeps its "${name}"; change it with PATCH.`;
    return [{ rule: "attribute_unchanged", message, pointer: `/${name}` }];
  });
}

function invalidSemver(semver: string): Refusal {
  const detail = `"${semver}" is not a semantic version (expected e.g. 1.4.0).`;
  return makeRefusal("UNPROCESSABLE", [detail], detail, {
    items: [{ pointer: "/version", rule: "semver", message: detail }],
  });
}
