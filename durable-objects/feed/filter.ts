/** Event filters by subject and type: parsed once at the edge, matched in the feed, both bounded. */

import type { ErrorItem } from "../../contract/errors.ts";
import { EVENT_TYPE_PREFIX } from "../../registry/cloud-event.ts";
import { ENTRY_TYPES, type EntryType } from "../../registry/log-entry.ts";
import { matchesGlob } from "../../schema/glob.ts";
import { ok, type Result, refuse } from "../../schema/result.ts";

/** Null: all of them. */
export type Filter = { subjects: readonly string[] | null; types: readonly EntryType[] | null };

export const MAX_SUBJECT_GLOBS = 16;
/**
 * Characters of all globs together. The filter is kept in the socket's attachment, which the platform limits to 2,048 bytes
 * (https://developers.cloudflare.com/durable-objects/best-practices/websockets/), at two bytes a character; and the longest
 * qualified name, of two times 255 characters, must still fit.
 */
export const MAX_SUBJECTS_CHARACTERS = 520;
export const MAX_TYPE_PATTERNS = 32;

/** The parameters `subjects` and `types`, both comma-separated lists; or everything that is wrong with them. */
export function parseFilter(subjects: string | undefined, types: string | undefined): Result<Filter, ErrorItem[]> {
  const items: ErrorItem[] = [];
  const filter = {
    subjects: subjects === undefined ? null : parseSubjects(subjects, items),
    types: types === undefined ? null : parseTypes(types, items),
  };
  return items.length > 0 ? refuse(items) : ok(filter);
}

function parseSubjects(text: string, items: ErrorItem[]): string[] {
  if (text.length > MAX_SUBJECTS_CHARACTERS) {
    items.push(problem("subjects", `has at most ${MAX_SUBJECTS_CHARACTERS} characters, this has ${text.length}`));
    return [];
  }
  const globs = text.split(",").map((glob) => glob.trim());
  if (globs.includes("")) items.push(problem("subjects", "must not hold an empty glob"));
  if (globs.length > MAX_SUBJECT_GLOBS) {
    items.push(problem("subjects", `holds at most ${MAX_SUBJECT_GLOBS} globs, this has ${globs.length}`));
  }
  // Two stars in a row match what one does.
  return [...new Set(globs.map((glob) => glob.replaceAll(/\*{2,}/g, "*")))];
}

function parseTypes(text: string, items: ErrorItem[]): EntryType[] {
  const patterns = text.split(",", MAX_TYPE_PATTERNS + 1).map((pattern) => pattern.trim());
  if (patterns.length > MAX_TYPE_PATTERNS) {
    items.push(problem("types", `holds at most ${MAX_TYPE_PATTERNS} types`));
    return [];
  }
  const chosen = new Set<EntryType>();
  for (const pattern of patterns) {
    const name = pattern.startsWith(EVENT_TYPE_PREFIX) ? pattern.slice(EVENT_TYPE_PREFIX.length) : pattern;
    const family = name.endsWith(".*") ? name.slice(0, -1) : undefined;
    const matching = ENTRY_TYPES.filter((type) => (family === undefined ? type === name : type.startsWith(family)));
    if (matching.length === 0) {
      items.push(
        problem(
          "types",
          `matches no event type with "${pattern.slice(0, 80)}"; known types: ${ENTRY_TYPES.join(", ")}`,
        ),
      );
    }
    for (const type of matching) chosen.add(type);
  }
  return ENTRY_TYPES.filter((type) => chosen.has(type));
}

function problem(parameter: string, said: string): ErrorItem {
  return { rule: "filter", message: `Query parameter "${parameter}" ${said}.` };
}

/** An event about more than one subject names none, so it matches every subject filter: one event too many does less harm than one too few. */
export function matchesFilter(
  { subjects, types }: Filter,
  event: { type: EntryType; subject: string | null },
): boolean {
  if (types !== null && !types.includes(event.type)) return false;
  const { subject } = event;
  return subjects === null || subject === null || subjects.some((glob) => matchesGlob(glob, subject));
}
