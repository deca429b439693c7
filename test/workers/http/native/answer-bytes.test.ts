import { describe, expect, it } from "vitest";
import { MAX_REFUSED_DIFFERENCE_BYTES } from "../../../../durable-objects/primary/decide/compatibility.ts";
import { MAX_CHANGE_DEPTH } from "../../../../registry/change-set.ts";
import { MAX_ANSWER_BYTES } from "../../../../registry/rpc.ts";
import { jsonBytes } from "../../../../schema/difference-list.ts";
import { MAX_LINT_FINDING_BYTES } from "../../../../workers/http/native/projection.ts";
import { MAX_BUNDLE_DIFFERENCE_BYTES } from "../../../../workers/registry/compatibility/bundle-verdict.ts";
import { MAX_SHOWN_DIFFERENCE_BYTES } from "../../../../workers/registry/compatibility/compare.ts";
import {
  MAX_DRY_RUN_DIFFERENCE_BYTES,
  MAX_DRY_RUN_VERSIONS,
} from "../../../../workers/registry/compatibility/rules-dry-run.ts";
import { avroRecord, plainRegistry, type Registry } from "../native-calls.ts";

type Listed = { differences: object[]; differences_total?: number };

/** Properties whose long names make each difference large. */
function longNames(count: number, type: string, length = 1_000): object {
  const names = Array.from({ length: count }, (_, index) => [`${"n".repeat(length)}${index}`, { type }]);
  return { type: "object", properties: Object.fromEntries(names) };
}

const FEW = 20;
const MANY = 400;

const json = { format: "json-schema" };

async function call<T>(registry: Registry, path: string, body: unknown, status = 200): Promise<T> {
  const answer = await registry.call("POST", path, { body });
  expect(answer.status, answer.text.slice(0, 500)).toBe(status);
  expect(new TextEncoder().encode(answer.text).length).toBeLessThanOrEqual(MAX_ANSWER_BYTES);
  return answer.body as T;
}

function expectCut({ differences, differences_total }: Listed, count: number, bound: number): void {
  const bytes = jsonBytes(differences);
  // The API adds short members to each.
  expect(bytes).toBeLessThanOrEqual(bound * 1.02);
  if (count === FEW) {
    expect(differences).toHaveLength(FEW);
    return;
  }
  expect(bytes).toBeGreaterThan(bound * 0.9);
  expect(differences_total).toBe(count);
}

describe.each([FEW, MANY])("answers about %i large differences", (count) => {
  const [writer, reader] = [longNames(count, "string"), longNames(count, "integer")];

  it(`list at most ${MAX_SHOWN_DIFFERENCE_BYTES} bytes of them in a check`, async () => {
    const verdict = await call<Listed>(plainRegistry(), "/compatibility/check", {
      reader: { ...json, content: reader },
      writer: { ...json, content: writer },
    });

    // Witnesses are not counted.
    const differences = verdict.differences.map((difference) => ({ ...difference, witness: undefined }));
    expectCut({ ...verdict, differences }, count, MAX_SHOWN_DIFFERENCE_BYTES);
  });

  it(`list at most ${MAX_REFUSED_DIFFERENCE_BYTES} bytes of them in a refused registration`, async () => {
    const registry = plainRegistry();
    await registry.register("s", writer, json);

    const refused = await call<{ verdict: Listed }>(
      registry,
      "/schemas",
      { subject: "s", ...json, content: reader },
      409,
    );

    const differences = refused.verdict.differences.map((difference) => ({ ...difference, witness: undefined }));
    expectCut({ ...refused.verdict, differences }, count, MAX_REFUSED_DIFFERENCE_BYTES);
  });

  it(`list at most ${MAX_BUNDLE_DIFFERENCE_BYTES} bytes of them in a bundle`, async () => {
    const registry = plainRegistry();
    const subjects = Array.from({ length: 8 }, (_, index) => `s${index}`);
    for (const subject of subjects) await registry.register(subject, writer, json);

    const verdicts = await call<{ schemas: Listed[] }>(registry, "/compatibility/bundle", {
      schemas: subjects.map((subject) => ({ subject, ...json, content: reader })),
    });

    const listed = verdicts.schemas.flatMap(({ differences }) => differences);
    expect(jsonBytes(listed)).toBeLessThanOrEqual(MAX_BUNDLE_DIFFERENCE_BYTES + 2);
    if (count === FEW) expect(listed).toHaveLength(FEW * subjects.length);
    else expect(listed.length).toBeGreaterThan(FEW);
  });
});

describe("POST /lint", () => {
  it.each([1, 250])(`lists at most ${MAX_LINT_FINDING_BYTES} bytes of findings for %i tools`, async (count) => {
    const parameters = { type: "object", properties: { a: { type: "string", format: "x".repeat(60) } } };
    const tools = Array.from({ length: count }, (_, index) => ({ name: `t${index}`, input_schema: parameters }));

    const { schemas } = await call<{ schemas: { reports: { findings: object[]; findings_total: number }[] }[] }>(
      plainRegistry(),
      "/lint",
      { content: { tools } },
    );

    const reports = schemas.flatMap((schema) => schema.reports);
    const findings = reports.flatMap((report) => report.findings);
    const total = reports.reduce((sum, { findings_total }) => sum + findings_total, 0);
    expect(schemas).toHaveLength(count);
    expect(jsonBytes(findings)).toBeLessThanOrEqual(MAX_LINT_FINDING_BYTES + 2);
    if (count === 1) expect(findings).toHaveLength(total);
    else expect(findings.length).toBeLessThan(total);
  });
});

describe("POST /rules/dry-run", () => {
  const BOOK = { overrides: [{ pointer: "/**", action: "allow", message: "m".repeat(500) }] };

  type DryRun = { items: { acted: { differences: number }[]; differences: object[] }[] };

  it(`covers ${MAX_DRY_RUN_VERSIONS} versions and refuses more`, { timeout: 120_000 }, async () => {
    const registry = plainRegistry();
    const register = async (from: number, to: number) => {
      const changes = Array.from({ length: to - from }, (_, index) => ({
        operation: "register",
        subject: "s",
        format: "avro",
        content: avroRecord(`f${from + index}?`),
        compatibility_level: "NONE",
      }));
      await call(registry, "/change-sets", { changes });
    };
    for (let from = 0; from < MAX_DRY_RUN_VERSIONS; from += MAX_CHANGE_DEPTH) {
      await register(from, Math.min(from + MAX_CHANGE_DEPTH, MAX_DRY_RUN_VERSIONS));
    }

    const within = await call<DryRun>(registry, "/rules/dry-run", { subject: "s", level: "FULL", book: BOOK });
    await register(MAX_DRY_RUN_VERSIONS, MAX_DRY_RUN_VERSIONS + 1);
    const beyond = await call<{ code: string }>(registry, "/rules/dry-run", { subject: "s", book: BOOK }, 422);

    expect(within.items).toHaveLength(MAX_DRY_RUN_VERSIONS - 1);
    expect(beyond.code).toBe("too_complex");
  });

  it.each([
    [2, true],
    [12, false],
  ])(
    `lists at most ${MAX_DRY_RUN_DIFFERENCE_BYTES} bytes of differences of %i versions, and counts them`,
    async (versions, isWhole) => {
      const registry = plainRegistry();
      for (let version = 0; version < versions; version += 1) {
        const content = longNames(60, version % 2 === 0 ? "string" : "integer");
        await registry.register("s", { ...content, title: String(version) }, { ...json, compatibility_level: "NONE" });
      }

      const { items } = await call<DryRun>(registry, "/rules/dry-run", { subject: "s", level: "BACKWARD", book: BOOK });

      const listed = items.flatMap(({ differences }) => differences);
      expect(jsonBytes(listed)).toBeLessThanOrEqual(MAX_DRY_RUN_DIFFERENCE_BYTES + 2);
      // Each pair lists at most fifty.
      if (isWhole) expect(listed).toHaveLength(50 * (versions - 1));
      else expect(listed.length).toBeLessThan(50 * (versions - 1));
      for (const { acted } of items) expect(acted[0]!.differences).toBeGreaterThanOrEqual(60);
    },
  );
});
