/** The plans of one decision, grouped: a commit that changes a hundred tools in the same way requires one action. */
import { firstWithin, MAX_PLAN_BYTES, type Plan, type PlanAction } from "./plan.ts";

/** Groups listed; of further ones only the number is given. */
export const MAX_PLAN_GROUPS = 50;
/** Versions listed in a group, like the records of an event. */
export const MAX_GROUP_VERSIONS = 20;
/** A quarter of the whole, so that the first group always fits beside the sentences of its action. */
const MAX_GROUP_VERSIONS_BYTES = MAX_PLAN_BYTES / 4;

type VersionPlan = { subject: string; version_number: number; plan: Plan };

type PlanGroup = Pick<PlanAction, "action" | "reason" | "note"> & {
  versions: readonly { subject: string; version_number: number }[];
  versions_total: number;
};

export type GroupedPlans = {
  /** The number of versions whose plan requires an action. */
  versions_total: number;
  groups: readonly PlanGroup[];
  groups_total?: number;
};

/** Undefined if no plan requires an action. Groups are in the order of urgency, the widest of the same urgency first. */
export function groupPlans(plans: readonly VersionPlan[]): GroupedPlans | undefined {
  const groups = new Map<string, { action: PlanAction; urgency: number; versions: VersionPlan[] }>();
  for (const version of plans) {
    for (const [urgency, action] of version.plan.actions.entries()) {
      const key = JSON.stringify([action.action, action.reason, action.note]);
      const group = groups.get(key) ?? { action, urgency, versions: [] };
      group.urgency = Math.min(group.urgency, urgency);
      if (group.versions.at(-1) !== version) group.versions.push(version);
      groups.set(key, group);
    }
  }
  if (groups.size === 0) return undefined;
  const sorted = [...groups.values()].sort((a, b) => a.urgency - b.urgency || b.versions.length - a.versions.length);
  const listed = firstWithin(sorted.slice(0, MAX_PLAN_GROUPS).map(shown), MAX_PLAN_BYTES);
  return {
    versions_total: plans.filter(({ plan }) => plan.actions.length > 0).length,
    groups: listed,
    ...(listed.length < sorted.length ? { groups_total: sorted.length } : {}),
  };
}

function shown({
  action: { action, reason, note },
  versions,
}: {
  action: PlanAction;
  versions: VersionPlan[];
}): PlanGroup {
  const first = versions.slice(0, MAX_GROUP_VERSIONS);
  return {
    action,
    reason,
    ...(note === undefined ? {} : { note }),
    versions: firstWithin(
      first.map(({ subject, version_number }) => ({ subject, version_number })),
      MAX_GROUP_VERSIONS_BYTES,
    ),
    versions_total: versions.length,
  };
}
