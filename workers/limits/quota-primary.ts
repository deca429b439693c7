/** The primary of a tenant with quotas: a command that stores data is refused once they are reached. */
import { makeRefusal, type Refusal } from "../../contract/errors.ts";
import type { PrimaryClient } from "../../durable-objects/primary/client.ts";
import type { Command } from "../../registry/commands.ts";
import type { Quotas } from "../../registry/tenant.ts";
import { refuse } from "../../schema/result.ts";

/** Checked before each such command, so concurrent writers may exceed a quota by one version each. */
export function withQuotas(primary: PrimaryClient, quotas: Quotas): PrimaryClient {
  if (quotas.versions === null && quotas.bytes === null) return primary;
  return {
    ...primary,
    async commit(request) {
      const refusal = storedBy(request.command) === 0 ? undefined : await problemOf(primary, quotas, request.command);
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
  if (versions !== null) {
    const count = await primary.read("versionCount", {});
    if (!count.ok) return count.refusal;
    const held = count.value.value;
    if (held + storedBy(command) > versions) {
      return reached(
        `The tenant's quota of ${versions} versions is reached: it holds ${held}. Hard-delete some first.`,
      );
    }
  }
  if (bytes !== null && (await primary.storageBytes()).used >= bytes) {
    return reached(`The tenant's quota of ${bytes} bytes is reached. Hard-delete some versions first.`);
  }
  return undefined;
}

/** The number of versions that the command may add. */
function storedBy(command: Command): number {
  if (command.type === "register") return 1;
  return command.type === "makeChanges" ? command.changes.filter(({ type }) => type === "register").length : 0;
}

function reached(detail: string): Refusal {
  return makeRefusal("QUOTA_REACHED", [detail], detail);
}
