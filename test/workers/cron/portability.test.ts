import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { ObjectNamespace } from "../../../durable-objects/placement.ts";
import { PROTOCOL_VERSION } from "../../../registry/rpc.ts";
import type { WebhookSettings } from "../../../registry/webhook.ts";
import { formatNamed } from "../../../schema/formats.ts";
import type { Profile } from "../../../schema/projection/profile.ts";
import { PROFILES } from "../../../schema/projection/profiles.ts";
import { lintAgain } from "../../../workers/cron/portability.ts";
import type { Bindings } from "../../../workers/edge.ts";
import { commit, outcomeOf, registerCommand, useFormat } from "../../durable-objects/primary/commands.ts";
import { WebhooksUnderTest } from "../../durable-objects/webhooks/webhooks-under-test.ts";

const OPENAI = PROFILES.find(({ name }) => name === "openai-strict")!;
const MCP = PROFILES.find(({ name }) => name === "mcp")!;
/** A later profile of OpenAI, in which a minimum is no longer enforced. */
const LATER: readonly Profile[] = [
  {
    ...OPENAI,
    date: "2027-02",
    keywords: { ...OPENAI.keywords, minimum: { ...OPENAI.keywords.minimum!, value: "refused" } },
  },
  MCP,
];
const NOW: readonly Profile[] = [OPENAI, MCP];

const counted = (property: string) =>
  JSON.stringify({
    type: "object",
    properties: { [property]: { type: "integer", minimum: 1 } },
    required: [property],
    additionalProperties: false,
  });
const plain = (property: string) =>
  JSON.stringify({
    type: "object",
    properties: { [property]: { type: "string" } },
    required: [property],
    additionalProperties: false,
  });

/** A registry whose directory lists only the default tenant, with an endpoint. */
async function open(settings: Partial<WebhookSettings> = {}) {
  const hooks = await WebhooksUnderTest.open();
  await useFormat(hooks.primary, formatNamed("json-schema"));
  const webhook = await hooks.create(settings);
  const shared = env as unknown as Bindings;
  const own = hooks.primary.name!.split("/")[0]!;
  const mapped = (namespace: ObjectNamespace): ObjectNamespace => ({
    getByName: (name: string) => namespace.getByName(name.replace("default", own)),
  });
  const bindings: Bindings = {
    ...shared,
    DIRECTORY: { getByName: (name) => shared.DIRECTORY.getByName(`${own}/${name}`) },
    PRIMARIES: mapped(shared.PRIMARIES),
    WEBHOOKS: mapped(shared.WEBHOOKS),
  };
  await hooks.run();
  const register = async (subject: string, text: string) => {
    const command = registerCommand(subject, text, { format: "json-schema" });
    const outcome = outcomeOf(await commit(hooks.primary, command, { computeMissing: true }));
    return (outcome as { record: { id: string } }).record.id;
  };
  /** The notices that arrive when the due deliveries are sent. */
  const notices = async () => {
    hooks.outside.received.length = 0;
    await hooks.ring();
    return hooks.outside.received
      .filter(({ event }) => event.type.endsWith(".portability.changed"))
      .map(({ body }) => JSON.parse(body) as { subject: string; data: { record: { id: string } | null } });
  };
  return { hooks, webhook, bindings, register, notices };
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe("lintAgain", () => {
  it("sends a notice for each version whose verdict a new profile changes, once", async () => {
    const { hooks, bindings, register, notices } = await open();
    const id = await register("changed", counted("n"));
    await register("unchanged", plain("s"));
    await lintAgain(bindings, 0, { profiles: NOW });
    await hooks.run();

    await lintAgain(bindings, 0, { profiles: LATER });
    const sent = await notices();
    await lintAgain(bindings, 0, { profiles: LATER });

    expect(sent).toMatchObject([
      {
        specversion: "1.0",
        type: "dev.llm-schema-registry.portability.changed",
        subject: "changed",
        data: {
          notice_id: expect.stringMatching(/^portability-/),
          record: { id, subject: "changed" },
          portability_changes: [
            {
              profile: "openai-strict@2027-02",
              readiness: "lossy",
              previous_profile: "openai-strict@2026-11",
              previous_readiness: "ready",
            },
          ],
          actor: "registry",
        },
      },
    ]);
    expect(sent[0]!.data).not.toHaveProperty("seq");
    expect(await notices()).toEqual([]);
  });

  it("continues where the last run ended, up to versions that were registered meanwhile", async () => {
    const { bindings, register, notices } = await open();
    for (const subject of ["a", "b", "c"]) await register(subject, counted(subject));
    const run = (profiles: readonly Profile[]) => lintAgain(bindings, 0, { profiles, maxVersions: 2 });
    await run(NOW);
    await register("d", counted("d"));
    await run(NOW);

    const sent: string[][] = [];
    for (let runs = 0; runs < 3; runs += 1) {
      await run(LATER);
      sent.push((await notices()).map(({ subject }) => subject).sort());
    }

    expect(sent).toEqual([["a", "b"], ["c", "d"], []]);
  });

  it("reads no more versions of one tenant than its share", async () => {
    const { bindings, register, notices } = await open();
    for (const subject of ["a", "b"]) await register(subject, counted(subject));
    await lintAgain(bindings, 0, { profiles: NOW });

    await lintAgain(bindings, 0, { profiles: LATER, maxVersionsOfTenant: 1 });

    expect((await notices()).map(({ subject }) => subject)).toEqual(["a"]);
  });

  it("sends them under the endpoint's filters of subjects", async () => {
    const { bindings, register, notices } = await open({ subjects: ["orders-*"], types: ["portability.*"] });
    for (const subject of ["orders-a", "payments"]) await register(subject, counted("n"));
    await lintAgain(bindings, 0, { profiles: NOW });

    await lintAgain(bindings, 0, { profiles: LATER });

    expect((await notices()).map(({ subject }) => subject)).toEqual(["orders-a"]);
  });

  it("lints nothing if no endpoint receives the notices", async () => {
    const { hooks, bindings, register } = await open({ types: ["schema.*"] });
    await register("a", counted("n"));

    await lintAgain(bindings, 0, { profiles: NOW });

    expect(await hooks.object.portabilityCheckpoint({ v: PROTOCOL_VERSION })).toBeNull();
  });

  it("shows nothing of a version that was hard-deleted before its notice is sent", async () => {
    const { hooks, bindings, register, notices } = await open({ types: ["portability.changed"] });
    const id = await register("a", counted("n"));
    await lintAgain(bindings, 0, { profiles: NOW });
    await lintAgain(bindings, 0, { profiles: LATER });
    const remove = (permanent: boolean) =>
      commit(hooks.primary, { type: "deleteRecord", id, permanent, ifMatchSeq: null });
    await remove(false);
    await remove(true);

    const [notice] = await notices();

    expect(notice).toMatchObject({ subject: "a", data: { record: null } });
    expect(JSON.stringify(notice)).not.toContain(id);
  });

  it("keeps a failed notice as a dead letter that can be replayed", async () => {
    const { hooks, webhook, bindings, register, notices } = await open({ types: ["portability.changed"] });
    await register("a", counted("n"));
    await lintAgain(bindings, 0, { profiles: NOW });
    await lintAgain(bindings, 0, { profiles: LATER });
    hooks.outside.answer = () => new Response(null, { status: 410 });
    const [first] = await notices();
    hooks.outside.answer = () => new Response(null, { status: 204 });
    await hooks.update(webhook.id, { enabled: true });
    await hooks.run();
    const [dead] = await hooks.deliveries(webhook.id);
    expect(dead).toMatchObject({ status: "dead", seq: null, type: "portability.changed" });
    const replay = (sinceSeq: number | null) =>
      hooks.object.replayDead({ webhookId: webhook.id, sinceSeq, sinceMs: null });

    expect(await replay(1)).toMatchObject({ ok: true, value: { replayed: 0 } });
    expect(await replay(null)).toMatchObject({ ok: true, value: { replayed: 1, remaining: 0 } });
    expect(await notices()).toEqual([first]);
  });

  it("drops the results of a run that another one has overtaken", async () => {
    const { hooks, bindings, register, notices } = await open();
    const id = await register("a", counted("n"));
    await lintAgain(bindings, 0, { profiles: NOW });
    const from = { profiles: "", afterRecordKey: 0 };
    const linted = [{ recordId: id, subject: "a", portability: { "mcp@2027-01": "impossible" } }] as const;

    const isStored = await hooks.object.reportPortability({ v: PROTOCOL_VERSION, from, to: from, linted });

    expect(isStored).toBe(false);
    expect(await notices()).toEqual([]);
  });

  it("fails after all tenants were tried if one cannot be linted", async () => {
    const { bindings } = await open();
    const error = vi.spyOn(console, "error").mockImplementation(() => undefined);
    const getByName = () => ({ portabilityCheckpoint: () => Promise.reject(new Error("away")) });

    const running = lintAgain({ ...bindings, WEBHOOKS: { getByName } }, 0);

    await expect(running).rejects.toThrow("The versions of 1 tenants could not be linted again.");
    expect(error).toHaveBeenCalledOnce();
  });
});
