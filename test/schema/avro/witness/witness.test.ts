import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import avsc from "avsc";
import { describe, expect, it } from "vitest";
import { avro } from "../../../../schema/avro/format.ts";
import type { Policy } from "../../../../schema/compatibility.ts";
import { DEFAULT_WITNESS_ATTEMPTS, MAX_WITNESS_BYTES, type Witness } from "../../../../schema/witness.ts";
import { HISTORIES, hasCorpus } from "../../../support/corpus.ts";
import { modelOf, parseText, record } from "../schemas.ts";

const OPTIONS = { seed: 1, maxAttempts: DEFAULT_WITNESS_ATTEMPTS, writers: "declared" } as const;

function witnessesOf(reader: unknown, writer: unknown, policy: Policy = "semantic"): Witness[] {
  const [readerModel, writerModel] = [modelOf(reader), modelOf(writer)];
  const comparison = avro.compare(readerModel, writerModel, { policy, writers: "declared" });
  if (!comparison.ok) throw new Error(comparison.refusal.message);
  const breaking = comparison.value.differences.filter(({ severity }) => severity === "breaking");
  return avro.witnesses(readerModel, writerModel, breaking, OPTIONS);
}

describe("witnesses", () => {
  it("returns a datum in both encodings, the reader's result, and the confirming codec", () => {
    const reader = record("A", ["x", ["null", "string"]]);
    const writer = record("A", ["x", ["null", "string", "long"]]);

    expect(witnessesOf(reader, writer)).toEqual([
      {
        status: "confirmed",
        datum: { x: { long: 0 } },
        binary: "BAA=",
        reader_result: "refused at /fields/0/type: no branch of the reader's union takes long",
        confirmed_by: "avro interpreter",
      },
    ]);
  });

  it.each([
    ["PRECISION_LOST", "float", "int", 16_777_217, "16777217 is read as 16777216"],
    ["PRECISION_LOST", "double", "long", "9007199254740993", "9007199254740993 is read as 9007199254740992"],
    ["BYTES_READ_AS_TEXT", "string", "bytes", "\u00ff", "are not valid UTF-8"],
    [
      "LOGICAL_TYPE_CHANGED",
      { type: "long", logicalType: "timestamp-micros" },
      { type: "long", logicalType: "timestamp-millis" },
      1,
      "timestamp of 1000000 ns is read as timestamp of 1000 ns",
    ],
    [
      "DECIMAL_SCALE_CHANGED",
      { type: "bytes", logicalType: "decimal", precision: 9, scale: 3 },
      { type: "bytes", logicalType: "decimal", precision: 9, scale: 2 },
      "\u0001",
      "decimal 0.01 is read as decimal 0.001",
    ],
    [
      "DECIMAL_PRECISION_REDUCED",
      { type: "bytes", logicalType: "decimal", precision: 2 },
      { type: "bytes", logicalType: "decimal", precision: 4 },
      "d",
      "decimal 100 is not a valid decimal(2,0)",
    ],
    ["LOGICAL_TYPE_ADDED", { type: "string", logicalType: "uuid" }, "string", "a", "is not a valid uuid"],
    [
      "LOGICAL_TYPE_ADDED",
      { type: "bytes", logicalType: "decimal", precision: 4, scale: 2 },
      "bytes",
      "'\u0010",
      "is not a valid decimal(4,2)",
    ],
    [
      "LOGICAL_TYPE_ADDED",
      { type: "bytes", logicalType: "decimal", precision: 2 ** 31 - 1 },
      "bytes",
      "",
      "is not a valid decimal(2147483647,0)",
    ],
    [
      "LOGICAL_TYPE_ADDED",
      { type: "int", logicalType: "time-millis" },
      "int",
      86_400_000,
      "is not a valid time-millis",
    ],
    [
      "ENUM_DEFAULT_SUBSTITUTED",
      { type: "enum", name: "E", symbols: ["A"], default: "A" },
      { type: "enum", name: "E", symbols: ["A", "B"] },
      "B",
      'is read as "A"',
    ],
  ])("shows the meaning that is lost: %s", (_, reader, writer, datum, result) => {
    expect(witnessesOf(reader, writer)).toMatchObject([
      { status: "confirmed", datum, reader_result: expect.stringContaining(result) },
    ]);
  });

  it("reaches through arrays, maps, unions and recursion", () => {
    const schema = (leaf: unknown) =>
      record(
        "Tree",
        ["name", "string"],
        [
          "children",
          { type: "map", values: { type: "array", items: ["null", "Tree", record("Leaf", ["leaf", leaf])] } },
        ],
      );

    expect(witnessesOf(schema("string"), schema("double"))).toMatchObject([
      { status: "confirmed", datum: { name: "", children: { key: [{ Leaf: { leaf: 0 } }] } } },
    ]);
  });

  it("proves a failure inside a matching branch", () => {
    const schema = (symbols: string[]) =>
      record("A", ["x", ["null", record("B", ["e", { type: "enum", name: "E", symbols }], ["s", "string"])]]);

    expect(witnessesOf(schema(["A"]), schema(["A", "B"]), "strict")).toMatchObject([
      {
        status: "confirmed",
        datum: { x: { B: { e: "B", s: "" } } },
        reader_result: expect.stringContaining('"B" is not a symbol'),
      },
    ]);
  });

  it("gives each of several differences a witness at its own location", () => {
    const reader = record("A", ["a", "int"], ["b", "string"], ["c", "int"]);
    const writer = record("A", ["a", "string"], ["b", "int"]);

    expect(
      witnessesOf(reader, writer).map((witness) => witness.status === "confirmed" && witness.reader_result),
    ).toEqual([
      expect.stringContaining("/fields/0/type"),
      expect.stringContaining("/fields/1/type"),
      expect.stringContaining('/fields/2: field "c" is missing'),
    ]);
  });

  it("gives the same witnesses for the same seed", () => {
    const [reader, writer] = [
      record("A", ["x", ["string", { type: "fixed", name: "F", size: 4 }]]),
      record("A", ["x", ["string", { type: "fixed", name: "F", size: 5 }]]),
    ];

    expect(witnessesOf(reader, writer)).toEqual(witnessesOf(reader, writer));
  });
});

describe("witnesses, where there is none", () => {
  it("does not write out decimals of a billion digits", () => {
    const decimal = (precision: number, scale: number) => ({ type: "bytes", logicalType: "decimal", precision, scale });

    expect(witnessesOf(decimal(2 ** 31 - 2, 0), decimal(2 ** 31 - 1, 0))).toMatchObject([{ status: "not_found" }]);
    expect(witnessesOf(decimal(2 ** 31 - 1, 2 ** 31 - 1), decimal(2 ** 31 - 1, 0))).toMatchObject([
      { status: "confirmed", reader_result: expect.stringContaining("decimal 1 is read as decimal 1E-2147483647") },
    ]);
  });

  it("reports that no finite datum of the writer exists", () => {
    const endless = (type: string) => record("A", ["x", type], ["next", "A"]);

    expect(witnessesOf(endless("int"), endless("string"))).toEqual([
      { status: "not_found", reason: "No finite datum of A exists." },
    ]);
  });

  it("reports that every datum exceeds the size of a witness", () => {
    const [reader, writer] = [record("A", ["x", "int"], ["f", "F"]), record("A", ["x", "string"], ["f", "F"])];
    const large = (size: number) => ({ type: "fixed", name: "F", size });
    const use = (schema: { fields: { type: unknown }[] }, size: number) => ({
      ...schema,
      fields: [schema.fields[0], { name: "f", type: large(size) }],
    });

    expect(witnessesOf(use(reader, MAX_WITNESS_BYTES), use(writer, MAX_WITNESS_BYTES))).toMatchObject([
      { status: "not_found", reason: expect.stringContaining("larger than") },
    ]);
    expect(witnessesOf(use(reader, 2 ** 31 - 1), use(writer, 2 ** 31 - 1))).toMatchObject([
      { status: "not_found", reason: expect.stringContaining("bytes") },
    ]);
    expect(witnessesOf(use(reader, 1_000), use(writer, 1_000))).toMatchObject([{ status: "confirmed" }]);
  });

  it("returns none for compatible or nonexistent differences", () => {
    const [reader, writer] = [modelOf("int"), modelOf("int")];
    const difference = { kind: "TYPE_MISMATCH", reader_pointer: "/x", writer_pointer: "/x", message: "" };

    const witnesses = avro.witnesses(
      reader,
      writer,
      [
        { ...difference, severity: "info" },
        { ...difference, severity: "breaking" },
      ],
      OPTIONS,
    );

    expect(witnesses).toMatchObject([{ status: "not_found" }, { status: "not_found" }]);
  });

  it("stops at the work limit", () => {
    const fields = (count: number, type: string) =>
      record("A", ...Array.from({ length: count }, (_, at): [string, unknown] => [`f${at}`, type]));
    const confirmed = (witnesses: Witness[]) => witnesses.filter(({ status }) => status === "confirmed").length;

    const few = witnessesOf(fields(250, "int"), fields(250, "boolean"));
    const many = witnessesOf(fields(1_000, "int"), fields(1_000, "boolean"));

    expect(confirmed(few)).toBe(250);
    expect(confirmed(many)).toBeGreaterThan(50);
    expect(confirmed(many)).toBeLessThan(many.length);
    expect(many.at(-1)).toMatchObject({ status: "not_found", reason: expect.stringContaining("work limit") });
  });

  it("gives up quickly on types that fan out", () => {
    const doubling = (leaf: string) => {
      const types: unknown[] = [record("R0", ["x", leaf])];
      for (let at = 1; at < 40; at += 1) types.push(record(`R${at}`, ["a", `R${at - 1}`], ["b", `R${at - 1}`]));
      return record("Root", ["types", { type: "array", items: types }], ["top", "R39"]);
    };

    expect(witnessesOf(doubling("int"), doubling("string"))).toMatchObject([{ status: "not_found" }]);
  });
});

const histories = hasCorpus
  ? readdirSync(HISTORIES)
      .map((name) => ({
        name,
        files: readdirSync(join(HISTORIES, name))
          .filter((file) => file.endsWith(".avsc"))
          .sort(),
      }))
      .filter(({ files }) => files.length > 0)
  : [];

describe.skipIf(!hasCorpus)("witnesses, on the pairs of the Avro histories", () => {
  it.each(["strict", "semantic"] as const)(
    "confirms nine of ten breaking differences under %s, and avsc agrees with each refusal",
    (policy) => {
      const counts = { breaking: 0, confirmed: 0, refusedByAvsc: 0, refused: 0 };
      for (const { name, files } of histories) {
        const versions = files
          .map((file) => readFileSync(join(HISTORIES, name, file), "utf8"))
          .filter((text) => parseText(text).ok);
        for (const [at, newer] of versions.entries()) {
          for (const [reader, writer] of at === 0
            ? []
            : ([
                [newer, versions[at - 1]!],
                [versions[at - 1]!, newer],
              ] as const)) {
            const [readerSchema, writerSchema] = [JSON.parse(reader), JSON.parse(writer)] as [avsc.Schema, avsc.Schema];
            for (const witness of witnessesOf(readerSchema, writerSchema, policy)) {
              counts.breaking += 1;
              if (witness.status !== "confirmed") continue;
              counts.confirmed += 1;
              if (!witness.reader_result.startsWith("refused")) continue;
              const isRefused = isRefusedByAvsc(readerSchema, writerSchema, witness.binary!);
              if (isRefused === null) continue;
              counts.refused += 1;
              if (isRefused) counts.refusedByAvsc += 1;
            }
          }
        }
      }

      expect(counts.breaking).toBeGreaterThan(10);
      expect(counts.confirmed / counts.breaking).toBeGreaterThanOrEqual(0.9);
      expect(counts.refusedByAvsc).toBe(counts.refused);
    },
  );
});

/** Null if avsc cannot read the schema: it does not support defaults of a later branch. */
function avscType(schema: avsc.Schema): avsc.Type | null {
  try {
    return avsc.Type.forSchema(schema, { wrapUnions: true });
  } catch {
    return null;
  }
}

function isRefusedByAvsc(reader: avsc.Schema, writer: avsc.Schema, binary: string): boolean | null {
  const [readerType, writerType] = [avscType(reader), avscType(writer)];
  if (readerType === null || writerType === null) return null;
  const bytes = Buffer.from(binary, "base64");
  // The writer's half of the proof: the bytes are a datum of the writer.
  expect(writerType.toBuffer(writerType.fromBuffer(bytes))).toEqual(bytes);
  try {
    readerType.fromBuffer(bytes, readerType.createResolver(writerType, { ignoreNamespaces: true }));
    return false;
  } catch {
    return true;
  }
}
