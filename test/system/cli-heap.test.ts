/** The command line works on machines with little memory, even with large schemas: each command is a separate process. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { MAX_COUNTED_VALUES } from "../../schema/dataset/build-sketch.ts";
import { MAX_SKETCH_COLUMNS } from "../../schema/dataset/shape.ts";
import { ROOT } from "../../scripts/install.mjs";
import {
  type HostilePair,
  hugeDigits,
  manyAvroBranches,
  manyAvroDefaults,
  manyAvroRecords,
  manyChanges,
  manyConjoined,
  manyFields,
  manyListed,
  manyMaps,
  manyMessages,
  manyPatterns,
  nestedReferences,
} from "../support/hostile-schemas.ts";
import { sharedHostilePairs } from "../support/shared-hostile-schemas.ts";

const LLMSR = join(ROOT, "cli", "dist", "llmsr.mjs");
const HEAP_MB = 512;
const CPU_MS = 10_000;
const EXTENSIONS = { "json-schema": "json", avro: "avsc", protobuf: "proto" } as const;
/** Codes of a verdict: compatible, breaking, refused; a crash has none of them. */
const VERDICTS = [0, 1, 2];

const PAIRS: readonly HostilePair[] = [
  hugeDigits(9_000),
  manyPatterns(1_000),
  manyChanges(25_000),
  manyConjoined(10_000),
  manyListed(40_000, (index) => index, "integers"),
  manyFields(33_000),
  manyMaps(15_000),
  manyMessages(14_000),
  manyAvroRecords(10_000),
  manyAvroDefaults(12_000),
  manyAvroBranches(12_000),
];
const SHARED = await sharedHostilePairs();

/** Reports the process's own processor time when it ends. */
const REPORT_CPU = `data:text/javascript,process.on("exit",()=>process.stderr.write("\\ncpu "+JSON.stringify(process.cpuUsage())))`;

describe(`llmsr in a heap of ${HEAP_MB} MB`, () => {
  let folder: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "llmsr-heap-"));
    execFileSync(process.execPath, [join("cli", "build.mjs")], { cwd: ROOT });
  });

  afterAll(() => rmSync(folder, { recursive: true }));

  function write(name: string, text: string): string {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  }

  function expectVerdict(...args: string[]): void {
    const options = [`--max-old-space-size=${HEAP_MB}`, "--no-warnings", `--import=${REPORT_CPU}`];
    const child = spawnSync(process.execPath, [...options, LLMSR, ...args], {
      encoding: "utf8",
      maxBuffer: 64 * 1024 * 1024,
    });
    expect(VERDICTS, child.stderr.slice(0, 2_000)).toContain(child.status);
    const [, cpu] = /\ncpu (\{.*\})$/.exec(child.stderr)!;
    const { user, system } = JSON.parse(cpu!) as NodeJS.CpuUsage;
    expect((user + system) / 1_000, `CPU of llmsr ${args[0]}`).toBeLessThan(CPU_MS);
  }

  if (SHARED.length === 0) it.skip("compares the shared pairs");

  it.each([...PAIRS, ...SHARED])("compares $name", ({ format, reader, writer }) => {
    const extension = EXTENSIONS[format];
    const before = write(`before.${extension}`, writer);
    const after = write(`after.${extension}`, reader);

    expectVerdict("check", before, after);
    expectVerdict("diff", before, after);
  });

  it("sketches rows of as many columns as a sketch may have", () => {
    const columns = Array.from({ length: MAX_SKETCH_COLUMNS }, (_, column) => column);
    const rows = Array.from({ length: 2 * MAX_COUNTED_VALUES }, (_, row) => {
      const values = columns.map((column) => [`c${column}`, column % 2 === 0 ? `text ${row} ${column}` : row]);
      return JSON.stringify(Object.fromEntries(values));
    });

    expectVerdict("sketch", write("rows.ndjson", rows.join("\n")));
  });

  it.each([
    ["many properties", manyChanges(25_000).writer],
    ["many nested references", nestedReferences(5_000)],
  ])("projects a schema of %s for every provider", (_, text) => {
    expectVerdict("lint", write("schema.json", text));
  });
});
