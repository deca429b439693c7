/** Inline tags: words on records and fields, kept in the schema's text under the name that the Confluent contract gives them. */
import type { EntityTags } from "./format.ts";
import { compareCodeUnits } from "./json-text.ts";

/** The attribute that holds an entity's tags in schemas written in JSON. */
export const TAGS_ATTRIBUTE = "confluent:tags";

type TaggedEntity = Pick<EntityTags, "entityPath" | "entityType"> & {
  /** The entity's name for rules, where it is not the path: a Protobuf path leaves out the package. */
  fullName?: string;
};

/** Says which tags an entity is to have; the same array leaves it as it is. */
export type EditTags = (entity: TaggedEntity, tags: readonly string[]) => readonly string[];

export type TagChanges = { add: readonly EntityTags[]; remove: readonly EntityTags[] };

/** The entities of a text that have tags; `editTags` is the format's. */
export function inlineTags(format: { editTags(text: string, edit: EditTags): string }, text: string): EntityTags[] {
  const found: EntityTags[] = [];
  format.editTags(text, ({ entityPath, entityType }, tags) => {
    if (tags.length > 0) found.push({ entityPath, entityType, tags });
    return tags;
  });
  return found;
}

/** The text after some changes, or the first path that is not in it. */
export function changeTags(
  format: { editTags(text: string, edit: EditTags): string },
  text: string,
  { add, remove }: TagChanges,
): { ok: true; text: string } | { ok: false; missing: string } {
  const seen = new Set<EntityTags>();
  const naming = (changes: readonly EntityTags[], entity: TaggedEntity) =>
    changes
      .filter((change) => {
        const names = change.entityType === entity.entityType && isSamePath(change.entityPath, entity.entityPath);
        if (names) seen.add(change);
        return names;
      })
      .flatMap(({ tags }) => tags);
  const changed = format.editTags(text, (entity, tags) => {
    const added = naming(add, entity).filter((tag) => !tags.includes(tag));
    const removed = naming(remove, entity);
    if (added.length === 0 && !tags.some((tag) => removed.includes(tag))) return tags;
    return [...tags, ...new Set(added)].filter((tag) => !removed.includes(tag)).sort(compareCodeUnits);
  });
  const missing = [...add, ...remove].find((change) => !seen.has(change));
  return missing ? { ok: false, missing: missing.entityPath } : { ok: true, text: changed };
}

/** Tools spell the words for nesting that a JSON Schema has no names for, or leave them out. */
function isSamePath(given: string, path: string): boolean {
  return given === path || withoutNesting(given) === withoutNesting(path);
}

function withoutNesting(path: string): string {
  return path
    .split(".")
    .filter((part, index) => !(part === "" && index === 0) && !["$", "object", "array"].includes(part))
    .join(".");
}
