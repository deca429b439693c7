import { describe, expect, it } from "vitest";
import { ROLES } from "../../../../schema/rules/roles.ts";
import { avroRecord, type ProblemBody, type Registry, WAYS } from "../native-calls.ts";

type Difference = {
  kind: string;
  message: string;
  severity: string;
  affected?: string;
  caused_by?: string;
  direction?: string;
  version_number?: number;
};
type Verdict = { compatible: boolean; role: string | null; differences: Difference[]; suggested_version: string };

const TOOL = { type: "object", properties: { city: { type: "string", description: "The city's name." } } };
const REWORDED = { type: "object", properties: { city: { type: "string", description: "City and country." } } };
const NARROWER = { ...TOOL, required: ["city"] };

async function check(registry: Registry, content: object, more: object = {}): Promise<Verdict> {
  const { body, status, text } = await registry.call("POST", "/compatibility/check", {
    body: { subject: "tool", content, ...more },
  });
  expect(status, text).toBe(200);
  return body as Verdict;
}

describe.each(WAYS)("roles on the $name platform", ({ open }) => {
  async function withTool(more: object = {}): Promise<Registry> {
    const registry = open();
    await registry.register("tool", TOOL, { format: "json-schema", ...more });
    return registry;
  }

  it("give the same break different words and a different affected side", async () => {
    const registry = await withTool();

    const said = await Promise.all(
      ROLES.map(async (role) => [role, await check(registry, NARROWER, { role, level: "BACKWARD" })] as const),
    );

    const affected = Object.fromEntries(said.map(([role, { differences }]) => [role, differences[0]!.affected]));
    expect(affected).toEqual({
      data: "reader",
      tool_input: "tool",
      model_output: "application",
      prompt_variables: "prompt template",
      event: "consumer",
    });
    expect(new Set(said.map(([, { differences }]) => differences[0]!.message)).size).toBe(ROLES.length);
    for (const [role, verdict] of said) expect(verdict).toMatchObject({ compatible: false, role });
  });

  it("raise the severity of changes that steer a model: a reworded description is information for programs and a warning for a model", async () => {
    const registry = await withTool();

    const data = await check(registry, REWORDED, { role: "data" });
    const tool = await check(registry, REWORDED, { role: "tool_input" });

    expect(data).toMatchObject({ compatible: true, suggested_version: "1.0.1" });
    expect(data.differences.map(({ severity }) => severity)).toEqual(["info"]);
    expect(tool).toMatchObject({ compatible: true, suggested_version: "1.1.0" });
    expect(tool.differences.map(({ severity }) => severity)).toEqual(["warning"]);
  });

  it("warn about a prompt variable that the template no longer has", async () => {
    const registry = await withTool();
    const emptied = { type: "object", properties: {} };

    const data = await check(registry, emptied, { role: "data" });
    const prompt = await check(registry, emptied, { role: "prompt_variables" });

    const removed = ({ differences }: Verdict) => differences.find(({ kind }) => kind.startsWith("PROPERTY_REMOVED"));
    expect(removed(data)).toMatchObject({ severity: "info" });
    expect(removed(prompt)).toMatchObject({ severity: "warning", affected: "prompt template", caused_by: "caller" });
  });

  it("come from the subject's configuration, else from its newest version, unless the request gives one", async () => {
    const registry = await withTool({ role: "tool_input" });

    const ofVersion = await check(registry, NARROWER);
    await registry.call("PUT", "/subjects/tool/compatibility", { body: { role: "event" } });
    const ofSubject = await check(registry, NARROWER);
    const ofRequest = await check(registry, NARROWER, { role: "model_output" });

    expect([ofVersion.role, ofSubject.role, ofRequest.role]).toEqual(["tool_input", "event", "model_output"]);
  });

  it("apply to the refusal of a registration, with direction and version", async () => {
    const registry = await withTool({ role: "tool_input" });
    const before = await registry.lastSeq();

    const refused = await registry.call("POST", "/schemas", {
      body: { subject: "tool", format: "json-schema", content: NARROWER },
    });
    const asEvent = await registry.call("POST", "/schemas", {
      body: { subject: "tool", format: "json-schema", content: NARROWER, role: "event" },
    });

    expect(refused.status).toBe(409);
    const { verdict, detail, errors } = refused.body as ProblemBody & { verdict: Verdict };
    expect(verdict).toMatchObject({ compatible: false, role: "tool_input" });
    expect(verdict.differences[0]).toMatchObject({
      affected: "tool",
      caused_by: "model",
      direction: "backward",
      version_number: 1,
    });
    expect(detail).toMatch(/\bthe model\b|\bthe tool\b|\bThe tool\b|\bThe model\b/);
    expect(errors?.[0]?.message).toBe(verdict.differences[0]!.message);
    expect(asEvent.body).toMatchObject({ verdict: { role: "event", differences: [{ affected: "consumer" }] } });
    expect(await registry.lastSeq()).toBe(before);
  });

  it("make a version that steers a model differently a minor", async () => {
    const steered = await withTool({ role: "tool_input" });
    const plain = await withTool();

    const asTool = await steered.register("tool", REWORDED, { format: "json-schema" });
    const asData = await plain.register("tool", REWORDED, { format: "json-schema" });

    expect([asTool.version, asData.version]).toEqual(["1.1.0", "1.0.1"]);
  });

  it("are applied before the rules, which see them", async () => {
    const registry = await withTool({ role: "tool_input" });
    const quiet = { name: "quiet", expr: "role == 'tool_input' && difference.severity == 'warning'", action: "allow" };
    await registry.call("PUT", "/rules", { body: { rules: [quiet] } });

    const verdict = await check(registry, REWORDED);
    const asData = await check(registry, REWORDED, { role: "data" });

    expect(verdict.differences[0]).toMatchObject({ severity: "info", decided_by: { name: "quiet", was: "warning" } });
    expect(asData.differences[0]).not.toHaveProperty("decided_by");
  });

  it("apply to a diff", async () => {
    const registry = await withTool({ role: "tool_input" });
    await registry.register("tool", REWORDED, { format: "json-schema" });

    const { body } = await registry.get("/subjects/tool/diff?from=1&to=2");

    expect(body).toMatchObject({
      role: "tool_input",
      backward: { differences: [{ severity: "warning", affected: "tool" }] },
    });
  });

  it("leave messages unchanged if no role is set", async () => {
    const registry = open();
    await registry.register("tool", avroRecord("id"));

    const { role, differences } = await check(registry, avroRecord("id", "required"));

    expect(role).toBeNull();
    expect(differences[0]).not.toHaveProperty("affected");
  });
});
