/** Plans: what the users of an artefact must do because of a new version, as data that every answer and event carries. */

/** Actions of one plan; a plan with more says how many it left out. */
export const MAX_PLAN_ACTIONS = 50;
/** A plan as JSON: it is stored with the log entry and part of every event about it. */
export const MAX_PLAN_BYTES = 16 * 1024;
/** Longer sentences, which quote long names, are truncated. */
const MAX_SENTENCE_CHARACTERS = 1_000;

export type PlanAction = {
  /** What to do, in the format's own verbs: `change_caller`, `re-embed`, `nothing`. */
  action: string;
  /** JSON pointer to what it is about, in the new version if it has one. */
  pointer?: string;
  reason: string;
  /** How to do it, if known: a note, or commands for a store. */
  note?: string;
  commands?: readonly { store: string; command: string }[];
};

export type Plan = { actions: readonly PlanAction[]; actions_total?: number };

/** The first actions that fit; the format puts the most urgent ones first. */
export function boundedPlan(actions: readonly PlanAction[]): Plan {
  const shown = actions.slice(0, MAX_PLAN_ACTIONS).map(({ reason, note, ...action }) => ({
    ...action,
    reason: cut(reason),
    ...(note === undefined ? {} : { note: cut(note) }),
  }));
  const listed = firstWithin(shown, MAX_PLAN_BYTES);
  return { actions: listed, ...(listed.length < actions.length ? { actions_total: actions.length } : {}) };
}

/** The first items whose JSON together does not exceed a number of bytes. */
export function firstWithin<T>(items: readonly T[], maxBytes: number): T[] {
  const listed: T[] = [];
  let bytes = 0;
  for (const item of items) {
    bytes += new TextEncoder().encode(JSON.stringify(item)).length + 1;
    if (bytes > maxBytes) break;
    listed.push(item);
  }
  return listed;
}

function cut(text: string): string {
  return text.length <= MAX_SENTENCE_CHARACTERS ? text : `${text.slice(0, MAX_SENTENCE_CHARACTERS)}…`;
}
