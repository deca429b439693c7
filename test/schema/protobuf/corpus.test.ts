import { spawn } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { toDescriptor } from "../../../schema/protobuf/descriptor/write.ts";
import { listFields } from "../../../schema/protobuf/fields.ts";
import { parseProtobuf } from "../../../schema/protobuf/parse/parse.ts";
import { canonicalText } from "../../../schema/protobuf/text/canonical.ts";
import { normalisedText } from "../../../schema/protobuf/text/normalise.ts";
import { renderProtobuf } from "../../../schema/protobuf/text/render.ts";
import { hasCorpus } from "../../support/corpus.ts";
import { type CorpusSchema, corpusSchemas, DEPS } from "./corpus.ts";
import { descriptorJson } from "./descriptor/descriptor-json.ts";
import { modelOf } from "./sources.ts";

const BUF = resolve("node_modules/.bin/buf");
const STRICT = { strictness: "new", defaultDialect: "2020-12" } as const;

const schemas = corpusSchemas();
const registering = schemas.filter((schema) => registers(schema) !== "no");

describe.skipIf(!hasCorpus)("parseProtobuf on the corpus", () => {
  it.each(schemas)("accepts or refuses $name as noted in the corpus", (schema) => {
    const result = parseProtobuf(schema.source, STRICT);

    expect(result.ok ? [] : result.refusal.problems.map(({ message }) => message)).toSatisfy((problems: string[]) =>
      registers(schema) === "no" ? problems.length > 0 : problems.length === 0,
    );
  });

  it("names the missing import", () => {
    const schema = schemas.find(({ name }) => name === "temporal-common-message/02.proto")!;

    const result = parseProtobuf(schema.source, STRICT);

    expect(result.ok ? "" : result.refusal.problems[0]!.message).toContain("dependencies/gogoproto/gogo.proto");
  });
});

describe.skipIf(!hasCorpus)("texts and descriptors of the corpus", () => {
  it.each(registering)("have the same meaning in every form: $name", ({ text, source }) => {
    const model = modelOf(text, source.references);
    const canonical = canonicalText(model);
    const normalised = normalisedText(model);
    const serialized = renderProtobuf(model, "serialized")!;

    const again = modelOf(canonical, source.references);
    const fromDescriptor = modelOf(serialized, source.references);

    expect(canonicalText(again)).toBe(canonical);
    expect(normalisedText(again)).toBe(normalised);
    expect(normalisedText(modelOf(normalised, source.references))).toBe(normalised);
    expect(normalisedText(fromDescriptor)).toBe(normalised);
    expect(renderProtobuf(fromDescriptor, "serialized")).toBe(serialized);
    expect(listFields(model).length).toBeGreaterThan(0);
  });
});

describe.skipIf(!hasCorpus || !existsSync(BUF))("descriptors of the corpus against Buf's compiler", () => {
  let folder = "";
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "protobuf-corpus-"));
    cpSync(DEPS, folder, { recursive: true });
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it.each(registering)("are equal: $name", async ({ text, source }) => {
    const model = modelOf(text, source.references);
    writeFileSync(join(folder, "schema.proto"), text);
    const image = await build(folder);
    // Recorded as registering after its imports, but its imports have a different version than it was written for.
    if (image === undefined) {
      const result = parseProtobuf(source, STRICT);
      expect(result.ok && result.value.warnings.some(({ rule }) => rule === "unresolved_in_reference")).toBe(true);
      return;
    }
    const set = fromBinary(FileDescriptorSetSchema, image);
    const theirs = set.file.find(({ name }) => name === "schema.proto")!;

    const ours = { ...toDescriptor(model), name: "schema.proto" };

    expect(descriptorJson(ours, set)).toEqual(descriptorJson(theirs, set));
  });
});

/** What `meta.json` of the schema's history records about registering it. */
function registers({ path }: CorpusSchema): string {
  const meta: { versions: { file: string; registers: string }[] } = JSON.parse(
    readFileSync(join(dirname(path), "meta.json"), "utf8"),
  );
  return meta.versions.find(({ file }) => path.endsWith(`/${file}`))!.registers;
}

/** The image of schema.proto and its imports, or undefined if it does not compile. */
function build(folder: string): Promise<Buffer | undefined> {
  const flags = ["--as-file-descriptor-set", "--exclude-source-info", "--path", "schema.proto"];
  const buf = spawn(BUF, ["build", "-o", "-#format=binpb", ...flags], {
    cwd: folder,
    stdio: ["ignore", "pipe", "ignore"],
  });
  const parts: Buffer[] = [];
  buf.stdout.on("data", (part: Buffer) => parts.push(part));
  return new Promise((settle, fail) => {
    buf.on("error", fail);
    buf.on("close", (code) => settle(code === 0 ? Buffer.concat(parts) : undefined));
  });
}
