/** Sorts versions of all contexts into an order in which they can be registered. */
import { type RemoteVersion, versionPath } from "./remote-registry.ts";

/** Referenced versions before their referrers, otherwise by id, which is the order of creation. */
export function inOrderOfReferences(versions: readonly RemoteVersion[]): RemoteVersion[] {
  const byKey = new Map(versions.map((version) => [versionPath(version), version]));
  const ordered = new Set<RemoteVersion>();
  const sorted = [...versions].sort(
    (a, b) => a.id - b.id || a.subject.localeCompare(b.subject) || a.version - b.version,
  );
  for (const first of sorted) {
    // An explicit stack, because chains of references may be long.
    const pending: { version: RemoteVersion; isReady: boolean }[] = [{ version: first, isReady: false }];
    const entered = new Set<RemoteVersion>();
    for (let next = pending.pop(); next; next = pending.pop()) {
      const { version, isReady } = next;
      if (ordered.has(version)) continue;
      if (isReady) {
        ordered.add(version);
        continue;
      }
      if (entered.has(version)) continue;
      entered.add(version);
      pending.push({ version, isReady: true });
      for (const reference of version.references ?? []) {
        const target = byKey.get(versionPath(inContextOf(version.subject, reference)));
        if (target) pending.push({ version: target, isReady: false });
      }
    }
  }
  return [...ordered];
}

/**
 * An unqualified reference is resolved in the context of the referring subject; names in the default context are listed
 * unqualified.
 */
function inContextOf(referrer: string, reference: { subject: string; version: number }) {
  const { subject, version } = reference;
  if (subject.startsWith(":.")) return { subject: subject.replace(/^:\.:/, ""), version };
  const context = /^(:\..*?:)/.exec(referrer)?.[1];
  return { subject: (context ?? "") + subject, version };
}
