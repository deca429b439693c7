import { expect, it } from "vitest";
import { MAX_QUERY_ROWS } from "../../../../registry/rpc.ts";
import { avroRecord, plainRegistry } from "../native-calls.ts";

it("compares a candidate with every version, even over several responses of the primary", async () => {
  const registry = plainRegistry();
  await registry.register("long", avroRecord("id", "first"), { compatibility_level: "NONE" });
  for (let n = 1; n <= MAX_QUERY_ROWS; n += 1) await registry.register("long", avroRecord("id", `f${n}?`));

  const { body } = await registry.call("POST", "/compatibility/check", {
    body: { subject: "long", content: avroRecord("id"), level: "FORWARD_TRANSITIVE" },
  });

  const verdict = body as { compatible: boolean; compared_versions: { version_number: number; compatible: boolean }[] };
  expect(verdict.compared_versions).toHaveLength(MAX_QUERY_ROWS + 1);
  expect(verdict.compared_versions.filter(({ compatible }) => !compatible)).toMatchObject([{ version_number: 1 }]);
}, 120_000);

it("shows the deciding policy, and the effect of a pair that semantic cannot decide", async () => {
  const registry = plainRegistry();
  await registry.register("s", avroRecord("id"));

  const set = await registry.call("PUT", "/subjects/s/compatibility", { body: { undecided: "refuse" } });
  const check = await registry.call("POST", "/compatibility/check", {
    body: { subject: "s", content: avroRecord("id", "e?") },
  });

  expect(set.body).toMatchObject({ undecided: "refuse" });
  expect(check.body).toMatchObject({ compatible: true, policy: "semantic", decided_by: "semantic" });
  const reset = await registry.call("PUT", "/subjects/s/compatibility", { body: { undecided: null } });
  expect(reset.body).toMatchObject({ undecided: "strict" });
  const wrong = await registry.call("PUT", "/subjects/s/compatibility", { body: { undecided: "guess" } });
  expect(wrong.status).toBe(400);
});
