/** Parses the selector of a version: a number, a semver, a range, an alias or `latest`. */

import { makeRefusal, type Refusal } from "../../../contract/errors.ts";
import { ALIAS_PATTERN } from "../../../registry/alias.ts";
import type { VersionSelector } from "../../../registry/questions.ts";
import { ok, type Result, refuse } from "../../../schema/result.ts";
import { isRange, parseSemver } from "../../../schema/semver.ts";

const MAX_VERSION_NUMBER = 2 ** 31 - 1;

export function parseSelector(text: string): Result<VersionSelector, Refusal> {
  const trimmed = text.trim();
  if (trimmed === "latest") return ok("latest");
  if (/^\d{1,15}$/.test(trimmed)) {
    const number = Number(trimmed);
    return number >= 1 && number <= MAX_VERSION_NUMBER ? ok(number) : refuse(invalidSelector(text));
  }
  if (parseSemver(trimmed) !== undefined || isRange(trimmed)) return ok(trimmed);
  return ALIAS_PATTERN.test(trimmed) ? ok(trimmed) : refuse(invalidSelector(text));
}

function invalidSelector(text: string): Refusal {
  const shown = text.length > 64 ? `${text.slice(0, 64)}…` : text;
  const detail = `"${shown}" does not select a version (expected a number from 1 to ${MAX_VERSION_NUMBER}, a semver such as 1.4.0, a range such as ^2 or 1.x, an alias, or latest).`;
  return makeRefusal("INVALID_VERSION", [shown], detail, { items: [{ rule: "version", message: detail }] });
}
