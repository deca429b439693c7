/** Inline tags: words on records and fields, stored in the schema's text under the Confluent contract's attribute. */

import type { EntityTags } from "./format.ts";
import { compareCodeUnits } from "./json-text.ts";
import { ok, type Result, refuse } from "./result.ts";

/** The attribute that holds an entity's tags in schemas written in JSON. */
export const TAGS_ATTRIBUTE = "confluent:tags";

type TaggedEntity = Pick<EntityTags, "entityPath" | "entityType"> & {
  /** The entity's name for rules, if it differs from the path: a Protobuf path omits the package. */
  fullName?: string;
};

/** Returns the tags an entity should have; returning the same array keeps them. */
export type EditTags = (entity: TaggedEntity, tags: readonly string[]) => readonly string[];

export type TagChanges = { add: readonly EntityTags[]; remove: readonly EntityTags[] };

/** A format as far as tags concern it; artefacts have none. */
type TaggedFormat = { editTags?(text: string, edit: EditTags): string };

/** The tagged entities of a text; `editTags` is the format's. */
export function inlineTags(format: TaggedFormat, text: string): EntityTags[] {
  const found: EntityTags[] = [];
  format.editTags?.(text, ({ entityPath, entityType }, tags) => {
    if (tags.length > 0) found.push({ entityPath, entityType, tags });
    return tags;
  });
  return found;
}

/** The edited text, or the first path that does not exist. */
export function changeTags(format: TaggedFormat, text: string, { add, remove }: TagChanges): Result<string, string> {
  const seen = new Set<EntityTags>();
  const naming = (changes: readonly EntityTags[], entity: TaggedEntity) =>
    changes
      .filter((change) => {
        const names = change.entityType === entity.entityType && isSamePath(change.entityPath, entity.entityPath);
        if (names) seen.add(change);
        return names;
      })
      .flatMap(({ tags }) => tags);
  const changed = format.editTags?.(text, (entity, tags) => {
    const added = naming(add, entity).filter((tag) => !tags.includes(tag));
    const removed = naming(remove, entity);
    if (added.length === 0 && !tags.some((tag) => removed.includes(tag))) return tags;
    return [...tags, ...new Set(added)].filter((tag) => !removed.includes(tag)).sort(compareCodeUnits);
  });
  const missing = [...add, ...remove].find((change) => !seen.has(change));
  return missing ? refuse(missing.entityPath) : ok(changed ?? text);
}

/** Tools spell the nesting of unnamed JSON Schemas differently, or omit it. */
function isSamePath(given: string, path: string): boolean {
  return given === path || withoutNesting(given) === withoutNesting(path);
}

function withoutNesting(path: string): string {
  return path
    .split(".")
    .filter((part, index) => !(part === "" && index === 0) && !["$", "object", "array"].includes(part))
    .join(".");
}
