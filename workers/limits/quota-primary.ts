/** The primary of a tenant with quotas: a command that stores data is refused once they are reached. */
import { makeRefusal, type Refusal } from "../../contract/errors.ts";
import type { PrimaryClient } from "../../durable-objects/primary/client.ts";
import type { Change } from "../../registry/change-set.ts";
import type { Command } from "../../registry/commands.ts";
import type { Quotas } from "../../registry/tenant.ts";
import { ok, type Result, refuse } from "../../schema/result.ts";

/** Checked before each such command, so concurrent writers may exceed a quota by one version each. */
export function withQuotas(primary: PrimaryClient, quotas: Quotas): PrimaryClient {
  if (quotas.versions === null && quotas.bytes === null) return primary;
  return {
    ...primary,
    async commit(request) {
      const refusal = await problemOf(primary, quotas, request.command);
      if (refusal === undefined) return primary.commit(request);
      const head = await primary.read("head", {});
      const asOf = head.ok ? head.value.asOf : { epoch: 0, seq: 0, lastHardDelete: 0 };
      return { ...refuse(refusal), asOf };
    },
  };
}

async function problemOf(
  primary: PrimaryClient,
  { versions, bytes }: Quotas,
  command: Command,
): Promise<Refusal | undefined> {
  const registered = await registeredBy(primary, command);
  if (!registered.ok) return registered.refusal;
  if (versions !== null && registered.value > 0) {
    const count = await primary.read("versionCount", {});
    if (!count.ok) return count.refusal;
    const held = count.value.value;
    if (held + registered.value > versions) {
      return reached(
        `The tenant's quota of ${versions} versions is reached: it holds ${held}. Hard-delete some first.`,
      );
    }
  }
  const isStored = registered.value > 0 || STORED.has(command.type);
  if (bytes !== null && isStored && (await primary.storageBytes()).used >= bytes) {
    return reached(`The tenant's quota of ${bytes} bytes is reached. Hard-delete some versions first.`);
  }
  return undefined;
}

/** Beside registrations, the commands that store what the caller sends at length. */
const STORED: ReadonlySet<Command["type"]> = new Set(["openProposal", "commentProposal", "attachEvidence"]);

/** The number of versions that the command may add. */
async function registeredBy(primary: PrimaryClient, command: Command): Promise<Result<number, Refusal>> {
  if (command.type === "register") return ok(1);
  if (command.type === "makeChanges") return ok(countRegistrations(command.changes));
  if (command.type !== "approveProposal") return ok(0);
  const answer = await primary.read("proposal", { id: command.id });
  return answer.ok ? ok(countRegistrations(answer.value.value?.changes ?? [])) : answer;
}

function countRegistrations(changes: readonly Change[]): number {
  return changes.filter(({ type }) => type === "register").length;
}

function reached(detail: string): Refusal {
  return makeRefusal("QUOTA_REACHED", [detail], detail);
}
