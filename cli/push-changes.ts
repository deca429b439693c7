/** Entries as the changes of a change set. */
import { toContent } from "./check-registered.ts";
import type { SchemaEntry } from "./entries.ts";

/** The most changes in a change set. */
export const MAX_PUSHED_TOGETHER = 200;

export function toSetChanges(entries: readonly SchemaEntry[], qualify: (subject: string) => string) {
  return entries.map(({ subject, schema, references }) => ({
    operation: "register",
    subject: qualify(subject),
    format: schema.format,
    content: toContent(schema),
    ...(schema.role === undefined ? {} : { role: schema.role }),
    // The newest version, or the one that the same change set registers.
    references: references.map(({ name, subject: of, version = "latest" }) => ({
      name,
      subject: qualify(of),
      version,
    })),
  }));
}

/** Parts of at most a change set's size; references are never in a later part than their referrers. */
export function inParts(entries: readonly SchemaEntry[]): SchemaEntry[][] {
  const bySubject = new Map(entries.map((entry) => [entry.subject, entry]));
  const ordered = new Set<SchemaEntry>();
  const add = (entry: SchemaEntry, above: ReadonlySet<SchemaEntry>) => {
    if (ordered.has(entry) || above.has(entry)) return;
    for (const { subject } of entry.references) {
      const target = bySubject.get(subject);
      if (target !== undefined) add(target, new Set([...above, entry]));
    }
    ordered.add(entry);
  };
  for (const entry of entries) add(entry, new Set());
  const all = [...ordered];
  return Array.from({ length: Math.ceil(all.length / MAX_PUSHED_TOGETHER) }, (_, part) =>
    all.slice(part * MAX_PUSHED_TOGETHER, (part + 1) * MAX_PUSHED_TOGETHER),
  );
}
