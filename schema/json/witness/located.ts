/** Which of the proven breaks a listed difference is about. */
import type { Difference } from "../../compatibility";
import type { Found, Trace } from "../compare/inclusion";

/** The break itself under the semantic policy; under the reference's rules those at the same part of the value. */
export function foundFor(difference: Difference, found: readonly Found[]): readonly Found[] {
  const exact = found.filter(
    ({ kind, reader, writer }) =>
      kind === difference.kind && reader === difference.reader_pointer && writer === difference.writer_pointer,
  );
  if (exact.length > 0) return exact;
  const path = partOf(difference.reader_pointer ?? difference.writer_pointer ?? "");
  const paths = found.map((each) => ({ each, at: traceParts(each.traces[0]!) }));
  const same = paths.filter(({ at }) => at.length === path.length && startsWith(at, path));
  if (same.length > 0)
    return sortedByKind(
      same.map(({ each }) => each),
      difference.kind,
    );
  return paths.filter(({ at }) => startsWith(at, path)).map(({ each }) => each);
}

function sortedByKind(found: readonly Found[], kind: string): Found[] {
  return [...found].sort((a, b) => Number(b.kind === kind) - Number(a.kind === kind));
}

function startsWith(path: readonly string[], prefix: readonly string[]): boolean {
  return prefix.every((part, index) => part === path[index] || path[index] === ANY);
}

/** Stands for names and indexes that are not fixed. */
const ANY = "*";

/** The part of a value that a schema pointer speaks about: member names and `*` for items. */
function partOf(pointer: string): string[] {
  const tokens = pointer
    .split("/")
    .slice(1)
    .map((token) => token.replaceAll("~1", "/").replaceAll("~0", "~"));
  const parts: string[] = [];
  for (let at = 0; at < tokens.length; at += 1) {
    switch (tokens[at]) {
      case "properties":
        at += 1;
        if (at < tokens.length) parts.push(tokens[at]!);
        break;
      case "items":
        if (/^\d+$/.test(tokens[at + 1] ?? "")) at += 1;
        parts.push(ANY);
        break;
      case "additionalProperties":
      case "additionalItems":
        if (at + 1 < tokens.length) parts.push(ANY);
        break;
      case "required":
      case "dependencies":
        at += 1;
        break;
      case "allOf":
      case "anyOf":
      case "oneOf":
        if (/^\d+$/.test(tokens[at + 1] ?? "")) at += 1;
        break;
      default:
    }
  }
  return parts;
}

function traceParts(trace: Trace): string[] {
  const parts: string[] = [];
  for (let at = trace; at.at === "step"; at = at.next) {
    if ("property" in at.step) parts.push(at.step.property);
    else if (!("name" in at.step)) parts.push(ANY);
  }
  return parts;
}
