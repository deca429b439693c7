/** Change sets: changes that one decision makes together or not at all. Events, proposals and histories group by them. */

import type {
  ActivateCommand,
  DeleteRecordCommand,
  DeleteSubjectCommand,
  DeleteVersionCommand,
  RegisterCommand,
  UndeleteCommand,
} from "./commands.ts";
import type { LifecycleState } from "./record.ts";

/** Changes of one set. Each may be decided several times, and every other writer waits for that. */
export const MAX_CHANGES = 200;

/** The longest chain of changes that each need the one before: two rounds between edge and primary for each. */
export const MAX_CHANGE_DEPTH = 16;

export const CHANGE_SET_KINDS = ["bulk", "promotion", "proposal"] as const;

export type ChangeSetKind = (typeof CHANGE_SET_KINDS)[number];

/** A registration whose references may mean versions that earlier changes of the set make. */
export type RegisterChange = RegisterCommand & {
  /** By position: the reference, and the change whose version it means. */
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
  /** In the order in which they are made. */
  changes: readonly Change[];
};

/** What became of one change: short, for the outcomes of a whole set are remembered in one row. */
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

/** A change set as it was committed: the entries from `firstSeq` on, up to the one that names them. */
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
