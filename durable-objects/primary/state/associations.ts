/** Reads associations by resource. They are stored with their subjects; an index table maps resources to subjects. */
import type { Association, ResourceSelector, SubjectAssociation } from "../../../registry/association.ts";

export function readAssociationsOfResources(sql: SqlStorage, of: ResourceSelector): SubjectAssociation[] {
  const { statement, bindings } = subjectsQuery(of);
  return sql
    .exec<{ context: string; subject: string; associations: string }>(statement, ...bindings)
    .toArray()
    .flatMap(({ context, subject, associations }) =>
      (JSON.parse(associations) as Association[]).map((association) => ({ name: { context, subject }, association })),
    )
    .filter(({ association: { resource } }) => isSelected(resource, of));
}

/** The scopes to read. Only conditions that apply are part of the statement, so that each query uses its index. */
export function subjectsQuery(of: ResourceSelector): { statement: string; bindings: string[] } {
  const columns: Record<string, string | null> =
    "resourceId" in of
      ? { resource_id: of.resourceId }
      : { resource_name: of.resourceName, resource_namespace: of.resourceNamespace };
  const conditions: string[] = [];
  const bindings: string[] = [];
  for (const [column, value] of Object.entries(columns)) {
    if (value === null) continue;
    conditions.push(`${column} = ?`);
    bindings.push(value);
  }
  const statement = `SELECT scopes.context, scopes.subject, scopes.associations
    FROM (SELECT DISTINCT context, subject FROM associated_resources WHERE ${conditions.join(" AND ") || "true"}) AS found
    CROSS JOIN scopes ON scopes.context = found.context AND scopes.subject = found.subject`;
  return { statement, bindings };
}

function isSelected({ id, name, namespace }: Association["resource"], of: ResourceSelector): boolean {
  if ("resourceId" in of) return id === of.resourceId;
  return (
    (of.resourceName === null || name === of.resourceName) &&
    (of.resourceNamespace === null || namespace === of.resourceNamespace)
  );
}
