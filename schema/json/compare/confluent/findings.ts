/** The result of comparing two schemas, as a tree: a shared definition is compared once and listed at every use. */
import type { Difference, Severity } from "../../../compatibility.ts";
import { pointerToken } from "../../../json-text.ts";
import { MAX_LISTED_DIFFERENCES } from "../bounds.ts";
import { type ConfluentKind, type ConfluentPolicy, describeKind, isBreaking, rateSeverity } from "./kinds.ts";

type Entry = { path: string; kind: ConfluentKind } | { path: string; findings: Findings };

/** Differences below one pair of schemas; paths are relative to the pair. Immutable once it is part of another. */
export class Findings {
  readonly #entries: Entry[] = [];
  readonly #policy: ConfluentPolicy;
  #isCompatible = true;
  #count = 0;

  constructor(policy: ConfluentPolicy) {
    this.#policy = policy;
  }

  get isCompatible(): boolean {
    return this.#isCompatible;
  }

  /** The number of differences below, a shared one counted at every use. */
  get count(): number {
    return this.#count;
  }

  add(path: string, kind: ConfluentKind): void {
    this.#entries.push({ path, kind });
    this.#count += 1;
    if (isBreaking(kind, this.#policy)) this.#isCompatible = false;
  }

  include(path: string, findings: Findings): void {
    this.#count = Math.min(this.#count + findings.count, Number.MAX_SAFE_INTEGER);
    if (!findings.isCompatible) this.#isCompatible = false;
    if (findings.count > 0) this.#entries.push({ path, findings });
  }

  /** For a pair that is known to be incompatible and whose differences are listed elsewhere. */
  markIncompatible(): void {
    this.#isCompatible = false;
  }

  /** The list of differences; if it is truncated, breaking ones come first. */
  differences(): Difference[] {
    const listed: Difference[] = [];
    const left = { breaking: MAX_LISTED_DIFFERENCES, info: MAX_LISTED_DIFFERENCES, warning: 0, behaviour: 0 };
    this.#list("", listed, left);
    if (listed.length <= MAX_LISTED_DIFFERENCES) return listed;
    const isBreak = ({ severity }: Difference) => severity === "breaking";
    const sorted = [...listed.filter(isBreak), ...listed.filter((each) => !isBreak(each))];
    return sorted.slice(0, MAX_LISTED_DIFFERENCES);
  }

  #list(prefix: string, listed: Difference[], left: Record<Severity, number>): void {
    for (const entry of this.#entries) {
      if (left.breaking === 0 && left.info === 0) return;
      if ("findings" in entry) {
        if (left.info > 0 || !entry.findings.isCompatible) entry.findings.#list(prefix + entry.path, listed, left);
        continue;
      }
      const difference = differenceAt(prefix + entry.path, entry.kind, this.#policy);
      if (left[difference.severity] === 0) continue;
      left[difference.severity] -= 1;
      listed.push(difference);
    }
  }
}

function differenceAt(path: string, kind: ConfluentKind, policy: ConfluentPolicy): Difference {
  const words = describeKind(kind).replaceAll("new schema", "reader").replaceAll("old schema", "writer");
  return {
    kind,
    reader_pointer: /_REMOVED(_|$)/.test(kind) ? null : path,
    writer_pointer: /_ADDED(_|$)/.test(kind) ? null : path,
    message: `${words} (at ${path === "" ? "the root" : path}).`,
    severity: rateSeverity(kind, policy),
  };
}

/** Path steps, escaped. */
export function step(...tokens: (string | number)[]): string {
  return tokens.map((token) => `/${pointerToken(token)}`).join("");
}
