/** The commands allowed to a caller whose grants cover part of the tenant. */
import { makeRefusal, type Refusal } from "../../contract/errors.ts";
import type { PrimaryClient } from "../../durable-objects/primary/client.ts";
import type { Change } from "../../registry/change-set.ts";
import type { Command } from "../../registry/commands.ts";
import type { Permission } from "../../registry/permission.ts";
import { type RequestedReference, type SchemaRecord, schemaNotFound } from "../../registry/record.ts";
import { MAX_QUERY_ROWS } from "../../registry/rpc.ts";
import {
  DEFAULT_CONTEXT,
  GLOBAL_CONTEXT,
  isSameSubject,
  parseSubjectName,
  referenceName,
  type SubjectName,
} from "../../schema/subject-name.ts";
import { type Access, toAccessTarget } from "./access.ts";
import type { AccessTarget } from "./conditions.ts";
import { denial } from "./denial.ts";

export class CommandGuard {
  readonly #primary: PrimaryClient;
  readonly #access: Access;

  constructor(primary: PrimaryClient, access: Access) {
    this.#primary = primary;
    this.#access = access;
  }

  /** The reason the caller may not issue this command; undefined if it may. */
  async refusalOf(command: Command): Promise<Refusal | undefined> {
    switch (command.type) {
      case "setConfig":
      case "deleteConfig":
      case "setRules":
      case "addException":
        return this.#refusalOfScope(command);
      case "deleteContext":
        return this.#refusalOfContext("subject:delete", command.context);
      case "setAssociations":
        return this.#refusalOfAssociations(command.associations.map(({ name }) => name));
      case "deleteAssociations":
        return this.#access.coversTenant("subject:delete") ? undefined : wholeTenant("subject:delete");
      case "makeChanges":
      case "openProposal":
        for (const change of command.changes) {
          const refusal = await this.#refusalOfChange(change);
          if (refusal !== undefined) return refusal;
        }
        return undefined;
      case "approveProposal":
      case "commentProposal":
      case "rejectProposal":
        return this.#refusalOfProposal(command.id);
      // Their routes require permissions over the tenant, which no narrowed grant carries.
      case "setGovernance":
      case "setMode":
      case "deleteMode":
      case "createWebhook":
      case "updateWebhook":
      case "rotateWebhook":
      case "deleteWebhook":
        return undefined;
      case "moveAlias":
      case "deleteAlias":
      case "attachEvidence":
        return this.#refusalOfName("schema:write", command.name);
      case "updateRecord": {
        const { state, changes } = command;
        return this.#refusalOfRecord("schema:write", command.id, {
          ...(state !== null && { state }),
          ...(changes.tags && { tags: changes.tags }),
        });
      }
      default:
        return this.#refusalOfChange(command);
    }
  }

  async refusalOfCheck(name: SubjectName, references: readonly RequestedReference[]): Promise<Refusal | undefined> {
    return (await this.#refusalOfName("compatibility:check", name)) ?? this.#refusalOfReferences(name, references);
  }

  async #refusalOfChange(change: Change): Promise<Refusal | undefined> {
    switch (change.type) {
      case "register": {
        const { name, state, references } = change;
        const own = new Set("ownReferences" in change ? change.ownReferences?.map(({ reference }) => reference) : []);
        const others = references.filter((_reference, index) => !own.has(index));
        const target = { ...name, state, tags: change.attributes.tags };
        return (await this.#refusalOfTarget("schema:write", target)) ?? this.#refusalOfReferences(name, others);
      }
      case "activate":
        return this.#refusalOfRecord("schema:write", change.id, { state: "active" });
      case "undelete":
        return this.#refusalOfRecord("schema:write", change.id);
      case "deleteRecord":
        return this.#refusalOfRecord("schema:delete", change.id);
      case "deleteVersion":
        return change.versionNumber === "latest"
          ? this.#refusalOfEveryVersion("schema:delete", change.name)
          : this.#refusalOfVersion("schema:delete", change.name, change.versionNumber);
      case "deleteSubject":
        return this.#refusalOfEveryVersion("subject:delete", change.name);
    }
  }

  /** A caller who acts on a proposal must be allowed to change all subjects that it changes. */
  async #refusalOfProposal(id: string): Promise<Refusal | undefined> {
    const answer = await this.#primary.read("proposal", { id });
    if (!answer.ok) return answer.refusal;
    for (const subject of answer.value.value?.proposal.subjects ?? []) {
      const refusal = await this.#refusalOfName("schema:write", parseSubjectName(subject));
      if (refusal !== undefined) return refusal;
    }
    return undefined;
  }

  /** `becomes`: what the change makes of the record, for which the permission must be held too. */
  async #refusalOfRecord(
    permission: Permission,
    id: string,
    becomes: Pick<AccessTarget, "state" | "tags"> = {},
  ): Promise<Refusal | undefined> {
    const answer = await this.#primary.read("recordById", { id, deleted: true });
    if (!answer.ok) return answer.refusal;
    if (answer.value.value === null || !this.#access.mayRead(answer.value.value)) return schemaNotFound(id);
    const target = toAccessTarget(answer.value.value);
    const isHeld = [target, { ...target, ...becomes }].every((each) => this.#access.allows(permission, each));
    return isHeld ? undefined : denial(this.#access, permission, target);
  }

  /** An unknown version is left to the primary, which says whether the subject or the version is missing. */
  async #refusalOfVersion(
    permission: Permission,
    name: SubjectName,
    versionNumber: number,
  ): Promise<Refusal | undefined> {
    const answer = await this.#primary.read("record", { name, selector: versionNumber, deleted: true });
    if (!answer.ok) return answer.refusal;
    const { value } = answer.value;
    if (!("found" in value)) return this.#refusalOfName(permission, name);
    return this.#isHeldFor(permission, name, value.found) ? undefined : denial(this.#access, permission, name);
  }

  /** Whether the permission is held for each version, drafts and soft-deleted ones included. */
  async #refusalOfEveryVersion(permission: Permission, name: SubjectName): Promise<Refusal | undefined> {
    if (this.#access.coversSubject(permission, name)) return this.#refusalOfName(permission, name);
    for (let after = 0; ; ) {
      const page = { name, deleted: true, drafts: true, after, limit: MAX_QUERY_ROWS };
      const answer = await this.#primary.read("recordsOfSubject", page);
      if (!answer.ok) return answer.refusal;
      const { records } = answer.value.value;
      if (records.length === 0 && after === 0) return this.#refusalOfName(permission, name);
      if (!records.every((record) => this.#isHeldFor(permission, name, record))) break;
      if (records.length < MAX_QUERY_ROWS) return undefined;
      const last = records.at(-1)?.versionNumber ?? null;
      // No page continues within the drafts, which have no number; a subject with that many is refused.
      if (last === null) break;
      after = last;
    }
    return denial(this.#access, permission, name);
  }

  /** The name may be an alias; then both names must be granted. */
  #isHeldFor(permission: Permission, name: SubjectName, record: SchemaRecord): boolean {
    const target = toAccessTarget(record);
    return [target, { ...target, context: name.context, subject: name.subject }].every((each) =>
      this.#access.allows(permission, each),
    );
  }

  #refusalOfName(permission: Permission, name: SubjectName): Promise<Refusal | undefined> {
    return this.#refusalOfTarget(permission, name);
  }

  /** A name may be an alias; then both names must be granted, because the change applies to the other one. */
  async #refusalOfTarget(permission: Permission, target: AccessTarget): Promise<Refusal | undefined> {
    if (!this.#access.allows(permission, target)) return denial(this.#access, permission, target);
    const aliases = await this.#primary.read("aliases", {});
    if (!aliases.ok) return aliases.refusal;
    const meant = aliases.value.value.find(({ alias }) => isSameSubject(alias, target))?.subject;
    if (meant === undefined || this.#access.allows(permission, { ...target, ...meant })) return undefined;
    return denial(this.#access, permission, meant);
  }

  /** The text of a reference can be read through any schema that references it. */
  #refusalOfReferences(name: SubjectName, references: readonly RequestedReference[]): Refusal | undefined {
    const hidden = references.find(
      ({ subject }) => !this.#access.allows("schema:read", referenceName(name.context, subject)),
    );
    if (hidden === undefined) return undefined;
    const detail = `No schema reference found for subject "${hidden.subject}" and version ${hidden.version}`;
    return makeRefusal("INVALID_SCHEMA", [detail], detail, {
      items: [{ pointer: "/references", rule: "reference_not_found", message: detail }],
    });
  }

  async #refusalOfScope(
    command: Extract<Command, { type: "setConfig" | "deleteConfig" | "setRules" | "addException" }>,
  ): Promise<Refusal | undefined> {
    const { scope } = command;
    const permission = "compatibility:config:write";
    if (scope.subject === "") return this.#refusalOfContext(permission, scope.context);
    if (!this.#access.allows(permission, scope)) return denial(this.#access, permission, scope);
    const alias = command.type === "setConfig" ? command.changes.alias : undefined;
    if (typeof alias !== "string" || alias === "") return undefined;
    // An alias affects two subjects, and the caller must be allowed to change both.
    const meant = referenceName(scope.context, alias);
    return this.#access.allows(permission, meant) ? undefined : denial(this.#access, permission, meant);
  }

  #refusalOfContext(permission: Permission, context: string): Refusal | undefined {
    const isForAll = context === DEFAULT_CONTEXT || context === GLOBAL_CONTEXT;
    if (isForAll) return this.#access.coversTenant(permission) ? undefined : wholeTenant(permission);
    return this.#access.coversContext(permission, context)
      ? undefined
      : denial(this.#access, permission, { context, subject: "" });
  }

  async #refusalOfAssociations(names: readonly (SubjectName | null)[]): Promise<Refusal | undefined> {
    for (const name of names) {
      if (name === null) {
        if (!this.#access.coversTenant("subject:write")) return wholeTenant("subject:write");
        continue;
      }
      const refusal = await this.#refusalOfName("subject:write", name);
      if (refusal !== undefined) return refusal;
    }
    return undefined;
  }
}

function wholeTenant(permission: Permission): Refusal {
  const detail = `The request affects subjects that it does not name, so the credential needs "${permission}" in the whole tenant.`;
  return makeRefusal("FORBIDDEN", [detail], detail);
}
