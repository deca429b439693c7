/** Dispatches every command to its decision: reads state, returns the entries to append, and writes nothing. */

import type { MakeChangesCommand } from "../../../registry/change-set.ts";
import type { Command } from "../../../registry/commands.ts";
import type { GovernanceCommand } from "../../../registry/governance.ts";
import { decideActivate, decideUndelete } from "./activate.ts";
import { decideAttachEvidence, decideDeleteAlias, decideMoveAlias } from "./aliases.ts";
import { decideDeleteAssociations, decideSetAssociations } from "./associations.ts";
import type { Deciding, Decision } from "./decision.ts";
import { decideDeleteRecord, decideDeleteSubject, decideDeleteVersion } from "./delete.ts";
import { decideRegister } from "./register.ts";
import {
  decideAddException,
  decideDeleteConfig,
  decideDeleteContext,
  decideDeleteMode,
  decideSetConfig,
  decideSetMode,
  decideSetRules,
  decideUpdateRecord,
} from "./settings.ts";
import { decideCreateWebhook, decideDeleteWebhook, decideRotateWebhook, decideUpdateWebhook } from "./webhooks.ts";

/** A command with its own decision; a change set has one per change (changes.ts). */
type SingleCommand = Exclude<Command, MakeChangesCommand | GovernanceCommand>;

type Decide<C extends SingleCommand> = (deciding: Deciding, command: C) => Decision;

const DECIDE: { [T in SingleCommand["type"]]: Decide<Extract<SingleCommand, { type: T }>> } = {
  register: decideRegister,
  activate: decideActivate,
  undelete: decideUndelete,
  deleteVersion: decideDeleteVersion,
  deleteRecord: decideDeleteRecord,
  deleteSubject: decideDeleteSubject,
  updateRecord: decideUpdateRecord,
  setConfig: decideSetConfig,
  deleteConfig: decideDeleteConfig,
  setMode: decideSetMode,
  deleteMode: decideDeleteMode,
  setRules: decideSetRules,
  addException: decideAddException,
  deleteContext: decideDeleteContext,
  setAssociations: decideSetAssociations,
  deleteAssociations: decideDeleteAssociations,
  createWebhook: decideCreateWebhook,
  updateWebhook: decideUpdateWebhook,
  rotateWebhook: decideRotateWebhook,
  deleteWebhook: decideDeleteWebhook,
  moveAlias: decideMoveAlias,
  deleteAlias: decideDeleteAlias,
  attachEvidence: decideAttachEvidence,
};

/** Commands that store new content; the others still work when storage is nearly full. */
export const STORING_COMMANDS: ReadonlySet<Command["type"]> = new Set([
  "register",
  "makeChanges",
  "openProposal",
  "approveProposal",
]);

export function decide(deciding: Deciding, command: SingleCommand): Decision {
  const decideOne = DECIDE[command.type] as Decide<SingleCommand> | undefined;
  if (!decideOne) throw new Error(`Unknown command "${command.type}".`);
  return decideOne(deciding, command);
}
