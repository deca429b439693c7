/** The primary as seen by a caller whose grants cover part of the tenant. */

import type { Refusal } from "../../contract/errors.ts";
import type { PrimaryClient } from "../../durable-objects/primary/client.ts";
import type { Queries, QueryName } from "../../registry/questions.ts";
import { refuse } from "../../schema/result.ts";
import { subjectNotFound } from "../registry/read/read.ts";
import type { Access } from "./access.ts";
import { CommandGuard } from "./guarded-commands.ts";
import { guardQueries } from "./query-guards.ts";

export function guardPrimary(primary: PrimaryClient, access: Access): PrimaryClient {
  const guards = guardQueries(primary, access);
  const commands = new CommandGuard(primary, access);
  return {
    ...primary,
    read: <K extends QueryName>(name: K, args: Queries[K][0]) => guards[name](args),
    async commit(request) {
      const refusal = await commands.refusalOf(request.command);
      if (refusal === undefined) {
        const answer = await primary.commit(request);
        return answer.ok ? answer : { ...answer, refusal: withoutReferrer(answer.refusal, access) };
      }
      return { ...refuse(refusal), asOf: await asOf(primary) };
    },
    async lookup(request) {
      const answer = await primary.lookup(request);
      if (!answer.ok || answer.value.type === "needs" || access.mayRead(answer.value.record)) return answer;
      return { ...refuse(subjectNotFound(request.name)), asOf: answer.asOf };
    },
    async check(request) {
      const refusal = await commands.refusalOfCheck(request.name, request.references);
      if (refusal === undefined) return primary.check(request);
      return { ...refuse(refusal), asOf: await asOf(primary) };
    },
  };
}

/** Only the whole tenant's readers certainly may know of the referrer; the others learn that there is one. */
function withoutReferrer(refusal: Refusal, access: Access): Refusal {
  const [subject = "", version = "", referrer] = refusal.arguments;
  if (refusal.error !== "REFERENCE_EXISTS" || referrer === undefined) return refusal;
  if (access.coversTenant("schema:read")) return refusal;
  return { ...refusal, arguments: [subject, version], detail: refusal.detail.replaceAll(referrer, "another schema") };
}

async function asOf(primary: PrimaryClient) {
  const head = await primary.read("head", {});
  return !head.ok ? { epoch: 0, seq: 0, lastHardDelete: 0 } : head.value.asOf;
}
