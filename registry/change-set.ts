/**
 * Change sets: changes that one decision applies together or not at all. Events, proposals and histories are grouped by
 * them.
 */

import type {
  ActivateCommand,
  DeleteRecordCommand,
  DeleteSubjectCommand,
  DeleteVersionCommand,
  RegisterCommand,
  UndeleteCommand,
} from "./commands.ts";
import type { LifecycleState } from "./record.ts";

/** Changes per set. Each may be decided several times while all other writers wait. */
export const MAX_CHANGES = 200;

/** The longest chain of dependent changes: each link takes two rounds between edge and primary. */
export const MAX_CHANGE_DEPTH = 16;

export const CHANGE_SET_KINDS = ["bulk", "promotion", "proposal"] as const;

export type ChangeSetKind = (typeof CHANGE_SET_KINDS)[number];

/** A registration whose references may resolve to versions that earlier changes of the set create. */
export type RegisterChange = RegisterCommand & {
  /** By index: the reference, and the change that creates its version. */
  ownReferences?: readonly { reference: number; change: number }[];
};

export type Change =
  | RegisterChange
  | ActivateCommand
  | UndeleteCommand
  | DeleteVersionCommand
  | DeleteRecordCommand
  | DeleteSubjectCommand;

export type MakeChangesCommand = {
  type: "makeChanges";
  kind: ChangeSetKind;
  message: string | null;
  /** In the order in which they are applied. */
  changes: readonly Change[];
};

/** The outcome of one change: short, because the outcomes of a whole set are stored in one row. */
export type ChangeOutcome =
  | {
      type: "registered" | "record";
      created: boolean;
      id: string;
      context: string;
      subject: string;
      versionNumber: number | null;
      semver: string | null;
      confluentId: number | null;
      state: LifecycleState;
      seq: number;
    }
  | {
      type: "deleted";
      permanent: boolean;
      versions: readonly number[];
      records: readonly string[];
      guids: readonly string[];
    };

/** A committed change set: the entries from `firstSeq` up to the one that records the set. */
export type ChangeSet = {
  /** UUIDv7. */
  id: string;
  kind: ChangeSetKind;
  message: string | null;
  /** The proposal that was applied with it. */
  proposal: string | null;
  firstSeq: number;
  lastSeq: number;
  atMs: number;
  actor: string;
};
