import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { HISTORIES, hasCorpus } from "../support/corpus.ts";
import { freePort, type RegistryProcess, spawnRegistry, temporaryState } from "../support/registry-process.ts";
import { caughtUp, register, search, subjectsOf } from "./searching.ts";

describe.skipIf(!hasCorpus)("search among the schemas of the corpus", () => {
  let state: ReturnType<typeof temporaryState>;
  let registry: RegistryProcess;

  beforeAll(async () => {
    state = temporaryState();
    registry = spawnRegistry({ port: await freePort(), stateDir: state.stateDir });
    await registry.ready();
    for (const history of readdirSync(HISTORIES)) {
      const files = readdirSync(join(HISTORIES, history)).filter((file) => file !== "meta.json");
      // Schemas that need references are refused, and are not tested here.
      for (const file of files.sort()) {
        const text = readFileSync(join(HISTORIES, history, file), "utf8");
        const isProtobuf = file.endsWith(".proto");
        const format = file.endsWith(".avsc") ? "avro" : isProtobuf ? "protobuf" : "json-schema";
        const content = isProtobuf ? text : JSON.parse(text);
        await register(registry.url, { subject: history, format, content, compatibility_level: "NONE" });
      }
    }
    expect(await caughtUp(registry.url)).toBe(true);
  });

  afterAll(async () => {
    await registry?.kill();
    state.remove();
  });

  it.each([
    ["the name of a subject", "osv-schema", "osv-schema"],
    ["the beginning of a name", "jupyter", "jupyter-nbformat"],
    ["a field", "workflowId", "iglu-iterable-system_webhook"],
    ["a field, misspelt", "workfloId", "iglu-iterable-system_webhook"],
    ["a subject, misspelt", "qestionnaire", "radar-questionnaire"],
    ["words of a subject, in another order", "config redshift", "iglu-storage-redshift_config"],
    ["a field's name in another spelling", "user_agent", "iglu-cloudfront-wd_access_log"],
    ["words of the documentation", "workflow which the event originated", "iglu-iterable-system_webhook"],
  ])("finds %s", async (_what, query, expected) => {
    const page = await search(registry.url, { q: query, limit: "5" });

    expect(subjectsOf(page)).toContain(expected);
    expect(page.items.find(({ record }) => record.subject === expected)!.highlights.length).toBeGreaterThan(0);
  });

  it("shows the latest version of each subject, or all of them on request", async () => {
    const latest = await search(registry.url, { q: "osv-schema", limit: "1" });
    const all = await search(registry.url, { q: "osv-schema", versions: "all", limit: "100" });

    expect(all.total).toBeGreaterThan(latest.total);
    expect(latest.items[0]!.record.version_number).toBe(
      Math.max(
        ...all.items.filter(({ record }) => record.subject === "osv-schema").map(({ record }) => record.version_number),
      ),
    );
  });
});
