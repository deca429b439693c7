/** Why two schemas cannot be compared, in the same words for checks, registrations and reports. */
import { makeRefusal, type Refusal } from "../contract/errors.ts";
import type { Difference, Policy } from "../schema/compatibility.ts";
import type { SchemaFormat } from "../schema/format.ts";

/** `pointer` is the place at which the comparison gave up. */
export function tooComplexRefusal({ pointer, message }: { pointer: string | null; message: string }): Refusal {
  const detail = `Too complex to decide, at ${pointer ?? ""}: ${message}`;
  return makeRefusal("TOO_COMPLEX", [detail], detail);
}

/** The config refuses what the comparison could not decide. */
export function undecidedRefusal({ reader_pointer, message }: Difference): Refusal {
  const detail = `Too complex to decide, at ${reader_pointer ?? ""}, and "undecided" is "refuse". ${message}`;
  return makeRefusal("TOO_COMPLEX", [detail], detail);
}

/** A policy that does not exist for the format is refused, not replaced. */
export function policyProblem(
  policy: Policy,
  { name, policies }: Pick<SchemaFormat<unknown>, "name" | "policies">,
): Refusal | undefined {
  if (policies.includes(policy)) return undefined;
  const detail = `Policy ${policy} does not apply to ${name} (expected ${policies.join(", ")}).`;
  return makeRefusal("UNSUPPORTED", [detail], detail);
}
