import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freePort, type RegistryProcess, spawnRegistry, temporaryState } from "../support/registry-process.ts";

const TOOL_NAMES = [
  "search_schemas",
  "get_schema",
  "list_versions",
  "diff_versions",
  "check_compatibility",
  "suggest_compatible_change",
  "validate_data",
  "lint_schema",
  "project_schema",
  "render_prompt",
  "verify_tools",
  "register_schema",
];

const ORDER = { type: "object", properties: { id: { type: "string" } }, required: ["id"] };
const NARROWER = { ...ORDER, required: ["id", "total"] };

const state = temporaryState();
let registry: RegistryProcess;

beforeAll(async () => {
  registry = spawnRegistry({ port: await freePort(), stateDir: state.stateDir });
  await registry.ready();
});
afterAll(async () => {
  await registry?.kill();
  state.remove();
});

describe.each([
  ["the handshake of 2025", "legacy"],
  ["the protocol of 2026", "auto"],
] as const)("POST /mcp with the official client and %s", (_, mode) => {
  const client = new Client({ name: "test", version: "1" }, { versionNegotiation: { mode } });
  const subject = `orders-${mode}`;

  beforeAll(async () => {
    await client.connect(new StreamableHTTPClientTransport(new URL(`${registry.url}/mcp`)));
  });
  afterAll(() => client.close());

  /** The client checks structured content against the tool's output schema itself. */
  async function call(name: string, args: Record<string, unknown>) {
    const { structuredContent, isError = false, content } = await client.callTool({ name, arguments: args });
    return {
      structured: structuredContent as Record<string, unknown> | undefined,
      isError,
      text: JSON.stringify(content),
    };
  }

  it("lists every tool in a fixed order, with all annotations and schemas for both directions", async () => {
    const { tools } = await client.listTools();

    expect(tools.map(({ name }) => name)).toEqual(TOOL_NAMES);
    for (const tool of tools) {
      expect(tool).toMatchObject({
        description: expect.any(String),
        outputSchema: { type: "object" },
        annotations: { readOnlyHint: tool.name !== "register_schema", destructiveHint: false, openWorldHint: false },
      });
    }
  });

  it("registers, reads, lists and compares", async () => {
    const made = await call("register_schema", { subject, format: "json-schema", schema: ORDER });
    const read = await call("get_schema", { subject });
    const listed = await call("list_versions", { subject });
    const compared = await call("diff_versions", { subject, from: "1" });

    expect(made.structured).toMatchObject({ subject, version: "1.0.0" });
    expect(read.structured).toMatchObject({ content: ORDER });
    expect(listed.structured).toMatchObject({ items: [{ version: "1.0.0" }] });
    expect(compared.structured).toMatchObject({ backward: { differences: [] } });
  });

  it("answers a refused change with a witness and a repair, not with an error", async () => {
    const checked = await call("check_compatibility", { subject, schema: NARROWER });
    const suggested = await call("suggest_compatible_change", { subject, schema: NARROWER });

    expect(checked).toMatchObject({
      isError: false,
      structured: { compatible: false, differences: [{ severity: "breaking", witness: { status: "confirmed" } }] },
    });
    expect(suggested.structured).toMatchObject({ suggestions: [{ repair: expect.any(String) }] });
  });

  it("validates, lints and projects", async () => {
    const validated = await call("validate_data", { subject, data: { id: 1 } });
    const linted = await call("lint_schema", { subject, profiles: ["openai"] });
    const projected = await call("project_schema", { subject, profile: "openai" });

    expect(validated).toMatchObject({ isError: false, structured: { valid: false, errors: [{ pointer: "/id" }] } });
    expect(linted.structured).toMatchObject({ schemas: [{ reports: [{ readiness: expect.any(String) }] }] });
    expect(projected.structured).toMatchObject({ schema: { type: "object" } });
  });

  it("finds schemas, once the read model has followed", async () => {
    await expect
      .poll(async () => (await call("search_schemas", { query: subject })).structured?.total ?? 0, { timeout: 60_000 })
      .toBeGreaterThan(0);
  });

  it("serves versions as resources, and completes their parts", async () => {
    const uri = `schema://${subject}/latest`;
    const ref = { type: "ref/resource", uri: "schema://{subject}/{version}" } as const;

    const { contents } = await client.readResource({ uri });
    const subjects = await client.complete({ ref, argument: { name: "subject", value: subject } });
    const versions = await client.complete({
      ref,
      argument: { name: "version", value: "1" },
      context: { arguments: { subject } },
    });

    expect(contents).toMatchObject([{ uri, mimeType: "application/schema+json", text: JSON.stringify(ORDER) }]);
    expect(subjects.completion.values).toEqual([subject]);
    expect(versions.completion.values).toEqual(["1.0.0"]);
    await expect(client.readResource({ uri: "schema://nothing/latest" })).rejects.toThrow();
  });

  it("names the close subject when one is misspelt", async () => {
    const { isError, text } = await call("get_schema", { subject: subject.replace("orders", "ordrs") });

    expect(isError).toBe(true);
    expect(text).toContain(`Close: ${subject}.`);
  });
});
