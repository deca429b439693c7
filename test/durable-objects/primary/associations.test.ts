import { runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { MAX_ASSOCIATIONS } from "../../../durable-objects/primary/decide/associations.ts";
import type { PrimaryObject } from "../../../durable-objects/primary/object.ts";
import { readAssociationsOfResources, subjectsQuery } from "../../../durable-objects/primary/state/associations.ts";
import type { SetAssociationsCommand } from "../../../registry/commands.ts";
import { commit, expectReplayEqualsState, primaryWith, register } from "./commands.ts";

const associate = (
  subject: string,
  id: string,
  more: Partial<SetAssociationsCommand> = {},
): SetAssociationsCommand => ({
  type: "setAssociations",
  resource: { name: `topic-${id}`, namespace: "cluster", id, type: "topic" },
  associations: [
    {
      name: { context: ".", subject },
      type: "value",
      lifecycle: null,
      frozen: null,
      hasSchema: false,
    },
  ],
  upsert: true,
  dryRun: false,
  ...more,
});

describe("associations", () => {
  it("are equal after a replay, including changed and deleted ones and their subjects", async () => {
    const primary = await primaryWith();
    for (const subject of ["a", "b"]) await register(primary, subject, "x");
    const strong = { name: { context: ".", subject: "b" }, type: "value", lifecycle: "STRONG", frozen: false } as const;

    await commit(primary, associate("b", "1"));
    await commit(primary, associate("b", "1", { associations: [{ ...strong, hasSchema: false }] }));
    await commit(primary, {
      type: "deleteAssociations",
      resourceId: "1",
      resourceType: "topic",
      types: ["value"],
      cascade: true,
      mustExist: true,
      dryRun: false,
    });
    await commit(primary, associate("a", "2"));
    await commit(primary, {
      type: "deleteAssociations",
      resourceId: "2",
      resourceType: "topic",
      types: [],
      cascade: false,
      mustExist: true,
      dryRun: false,
    });

    await expectReplayEqualsState(primary);
  });

  it("write nothing in a dry run", async () => {
    const primary = await primaryWith();
    await register(primary, "a", "x");

    const tried = await commit(primary, associate("a", "1", { dryRun: true }));

    expect(tried).toMatchObject({ ok: true, value: { type: "done" }, asOf: { seq: 1 } });
  });

  it.each([
    { resourceId: "1" },
    { resourceName: "topic-1", resourceNamespace: "cluster" },
    { resourceName: "topic-1", resourceNamespace: null },
    { resourceName: null, resourceNamespace: "cluster" },
  ])("are found by %j without reading every scope", async (of) => {
    const primary = await primaryWith();
    await register(primary, "a", "x");
    await commit(primary, associate("a", "1"));
    const { statement, bindings } = subjectsQuery(of);

    const { plan, found } = await runInDurableObject(primary, (_object: PrimaryObject, { storage: { sql } }) => ({
      plan: sql
        .exec<{ detail: string }>(`EXPLAIN QUERY PLAN ${statement}`, ...bindings)
        .toArray()
        .map(({ detail }) => detail),
      found: readAssociationsOfResources(sql, of),
    }));

    expect(plan.filter((step) => /SCAN (?!found)/.test(step))).toEqual([]);
    expect(found).toMatchObject([{ name: { context: ".", subject: "a" }, association: { resource: { id: "1" } } }]);
  });

  it(`of one subject are at most ${MAX_ASSOCIATIONS}`, async () => {
    const primary = await primaryWith();
    await register(primary, "a", "x");

    for (let n = 1; n < MAX_ASSOCIATIONS; n += 1) await commit(primary, associate("a", String(n)));
    const last = await commit(primary, associate("a", "last"));
    const beyond = await commit(primary, associate("a", "beyond"));

    expect(last).toMatchObject({ ok: true, value: { type: "done" } });
    expect(beyond).toMatchObject({ ok: false, refusal: { error: "TOO_MANY_ASSOCIATIONS" } });
  });
});
