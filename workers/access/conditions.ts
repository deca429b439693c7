/** Conditions of grants: CEL over the request and its schema. */
import { CelScalar, celMethod } from "@bufbuild/cel";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { LifecycleState } from "../../registry/record.ts";
import { ok, type Result, refuse } from "../../schema/result.ts";
import { type CelProgram, celEnvironment, celValue, compileCelIn } from "../../schema/rules/cel.ts";
import type { SubjectName } from "../../schema/subject-name.ts";
import { isInRange } from "./address-range.ts";

/**
 * The request. `clientId` is the key's id, or the client that a token was issued to; both are verified, unlike a
 * header.
 */
export type RequestAttributes = { ip: string; nowMs: number; clientId: string };

/** The schema to be read or changed. State and tags are absent if no version is concerned. */
export type AccessTarget = SubjectName & { state?: LifecycleState; tags?: readonly string[] };

/** Tags of one version, or a few comparisons: far more than a condition needs. */
const MAX_CONDITION_STEPS = 2_000;

const ENVIRONMENT = celEnvironment([
  celMethod("inRange", CelScalar.STRING, [CelScalar.STRING], CelScalar.BOOL, function (range) {
    const inRange = isInRange(this, range);
    if (inRange === undefined) throw new Error(`"${range}" is not a range such as 10.0.0.0/8 or 2001:db8::/32.`);
    return inRange;
  }),
]);

/** The compiled condition, or its problem. It is evaluated once, so that a misspelt name is detected here. */
export function compileCondition(text: string): Result<CelProgram, string> {
  const compiled = compileCelIn(ENVIRONMENT, text);
  if (!compiled.ok) return compiled;
  const { evaluate } = compiled.value;
  const sample = { ip: "192.0.2.1", nowMs: 0, clientId: "client" };
  const tried = evaluateOver(evaluate, sample, { context: ".", subject: "subject", state: "active", tags: ["tag"] });
  if (!tried.ok) return tried;
  return typeof tried.value === "boolean" ? ok(evaluate) : refuse("The condition must be true or false.");
}

/** An error, or any result but true, means that it does not hold. */
export function holds(program: CelProgram, attributes: RequestAttributes, target: AccessTarget | undefined): boolean {
  const outcome = evaluateOver(program, attributes, target);
  return outcome.ok && outcome.value === true;
}

function evaluateOver(
  program: CelProgram,
  { ip, nowMs, clientId }: RequestAttributes,
  target: AccessTarget | undefined,
) {
  const budget = { remaining: MAX_CONDITION_STEPS };
  const { context = "", subject = "", state = "", tags = [] } = target ?? {};
  const request = new Map<string, unknown>([
    ["ip", ip],
    ["client_id", clientId],
    ["time", timestampFromMs(nowMs)],
  ]);
  return program({ request, schema: celValue({ context, subject, state, tags }, budget) }, budget);
}
