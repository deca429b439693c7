import { Buffer } from "node:buffer";
import protobuf from "protobufjs";
import { describe, expect, it } from "vitest";
import { MAX_DIFFERENCES } from "../../../../schema/difference-list.ts";
import { rateSeverity } from "../../../../schema/protobuf/compare/semantic/losses.ts";
import { CONFIRMED_BY, MAX_WITNESS_WORK, protobufWitnesses } from "../../../../schema/protobuf/witness/witness.ts";
import type { Witness } from "../../../../schema/witness.ts";
import { differencesOf, model } from "../compare/models.ts";
import { compatibilityVectors } from "../compare/vectors.ts";

const OPTIONS = { seed: 7, maxAttempts: 200, writers: "declared" } as const;
const VECTORS = compatibilityVectors();

/** Calls, package names and message sets are not part of the messages that a witness could show. */
const NOT_IN_MESSAGES = /^(RPC_|SERVICE_|ANY_TYPE_URL|MESSAGE_SET)/;

function witnessesOf(reader: string, writer: string, policy: Parameters<typeof differencesOf>[2]) {
  const models = [model(reader), model(writer)] as const;
  const differences = differencesOf(...models, policy);
  const witnesses = protobufWitnesses(...models, differences, OPTIONS);
  return differences.map((difference, index) => ({ difference, witness: witnesses[index]! }));
}

describe("protobufWitnesses", () => {
  const semantic = VECTORS.filter(({ policy }) => policy === "semantic");

  it.each(semantic)("confirms breaking differences and no others: $description", ({ reader, writer }) => {
    for (const { difference, witness } of witnessesOf(reader, writer, "semantic")) {
      if (difference.severity === "info") expect(witness.status, difference.kind).toBe("not_found");
      if (difference.severity !== "breaking") continue;
      const expected = NOT_IN_MESSAGES.test(difference.kind) ? "not_found" : "confirmed";
      expect(witness.status, `${difference.kind}: ${difference.message}`).toBe(expected);
    }
  });

  /** The result of protobufjs, an independent codec, for the bytes: JSON with defaults filled in, or its refusal. */
  function readWithProtobufjs(text: string, type: string, bytes: Uint8Array): string {
    const root = protobuf.parse(text, { keepCase: true }).root;
    const found = root.resolveAll().lookupType(type);
    try {
      const options = { longs: String, enums: String, bytes: String, defaults: true, oneofs: true };
      return JSON.stringify(found.toObject(found.decode(bytes), options));
    } catch (error) {
      return `refused: ${String(error)}`;
    }
  }

  /** Lists and default values differ deliberately; protobufjs's objects have neither presence nor JSON. */
  const IN_BINARY = VECTORS.filter(
    ({ policy, reader, writer }) => policy === "semantic" && !/import|edition|service/.test(reader + writer),
  );

  it.each(IN_BINARY)(
    "shows bytes that protobufjs also refuses or reads differently: $description",
    ({ reader, writer }) => {
      for (const { difference, witness } of witnessesOf(reader, writer, "semantic")) {
        if (difference.severity !== "breaking" || witness.status !== "confirmed") continue;
        if (difference.kind === "MESSAGE_REMOVED") continue;
        const bytes = Buffer.from(witness.binary!, "base64");
        const type = witness.reader_result.split(" ")[0]!;

        const written = readWithProtobufjs(writer, type, bytes);
        const read = readWithProtobufjs(reader, type, bytes);

        expect(written, difference.kind).not.toMatch(/^refused/);
        // The field of a value, and whether a zero was set, are visible in the schema but not in the values.
        if (!/RENUMBERED|ONEOF_CASE/.test(difference.kind))
          expect(read, `${difference.kind} ${witness.binary}`).not.toBe(written);
      }
    },
  );

  it("gives the same witnesses for the same seed", () => {
    const { reader, writer } = semantic.find(({ description }) => description.includes("another of another form"))!;

    expect(witnessesOf(reader, writer, "semantic")).toEqual(witnessesOf(reader, writer, "semantic"));
  });

  it("shows the datum, the bytes and the reader's result", () => {
    const text = (type: string) => `syntax = "proto3";\nmessage M { ${type} x = 1; }`;

    const [{ witness }] = witnessesOf(text("int32"), text("int64"), "semantic") as unknown as [{ witness: Witness }];

    expect(witness).toEqual({
      status: "confirmed",
      datum: { x: "4294967297" },
      binary: "CIGAgIAQ",
      reader_result: 'M is read as {"x":1}: the field 1 ("x"): the writer sent 4294967297, the reader reads 1.',
      confirmed_by: CONFIRMED_BY,
    });
  });

  it("embeds the changed part in the message that is sent", () => {
    const text = (type: string) =>
      `syntax = "proto3";\npackage p;\nimport "dep.proto";\nmessage M { map<string, d.Deep> x = 1; }\n${type}`;
    const dep = (type: string) => [
      {
        name: "dep.proto",
        subject: "dep",
        version: type === "int32" ? 1 : 2,
        source: {
          text: `syntax = "proto3";\npackage d;\nmessage Deep { Inner inner = 3; message Inner { ${type} y = 1; } }`,
          references: [],
        },
      },
    ];
    const [reader, writer] = [model(text(""), dep("sint32")), model(text(""), dep("int32"))];
    const differences = differencesOf(reader, writer, "semantic");

    const witnesses = protobufWitnesses(reader, writer, differences, OPTIONS);

    expect(differences.map(({ kind }) => kind)).toEqual(["ZIGZAG_CHANGED"]);
    expect(witnesses[0]).toMatchObject({ status: "confirmed", datum: { x: { "": { inner: { y: 1 } } } } });
  });

  it("explains if every message is refused for another reason", () => {
    const writer = 'syntax = "proto2";\nmessage M { optional int32 x = 1; }';
    const reader = 'syntax = "proto2";\nmessage M { optional string x = 1; required int32 y = 2; }';

    const found = witnessesOf(reader, writer, "semantic").map(({ difference, witness }) => [
      difference.kind,
      witness.status,
    ]);

    expect(found).toEqual([
      ["WIRE_TYPE_CHANGED", "not_found"],
      ["REQUIRED_FIELD_ADDED", "confirmed"],
    ]);
  });

  it("searches as many differences as a comparison reports and no more", () => {
    const text = (type: string) => {
      const fields = Array.from({ length: MAX_DIFFERENCES }, (_, at) => `${type} f${at} = ${at + 1};`);
      return model(`syntax = "proto3";\nmessage M { ${fields.join("\n")} }`);
    };
    const [reader, writer] = [text("sint32"), text("int32")];
    const differences = differencesOf(reader, writer, "semantic");

    const witnesses = protobufWitnesses(reader, writer, [...differences, differences[0]!], OPTIONS);

    expect(witnesses.map(({ status }) => status).lastIndexOf("confirmed")).toBe(MAX_DIFFERENCES - 1);
    expect(witnesses.at(-1)).toMatchObject({ status: "not_found" });
  });

  it("proves every reported difference of messages with very many fields", () => {
    const text = (type: string) => {
      const fields = Array.from({ length: 20_000 }, (_, at) => `${type} f${at} = ${at + 20_000};`);
      return model(`syntax = "proto3";\nmessage M { ${fields.join("\n")} }`);
    };
    const [reader, writer] = [text("sint32"), text("int32")];

    const witnesses = protobufWitnesses(reader, writer, differencesOf(reader, writer, "semantic"), OPTIONS);

    expect(witnesses.map(({ status }) => status)).toEqual(Array(MAX_DIFFERENCES).fill("confirmed"));
  });

  it("stops at the work limit if messages are large and yield no proof", () => {
    const text = (name: string, holders: number) => {
      const fields = Array.from({ length: 180 }, (_, at) => `int32 f${at} = ${at + 1};`).join("\n");
      const held = Array.from({ length: holders }, (_, at) => `${name} g${at} = ${at + 1};`).join("\n");
      const messages = ["A", "B"].map((one) => `message ${one} { ${fields} }`);
      return model(`syntax = "proto3";\n${messages.join("\n")}\nmessage M { ${held} }`);
    };
    const reasonsOf = (holders: number) => {
      const [reader, writer] = [text("B", holders), text("A", holders)];
      const witnesses = protobufWitnesses(reader, writer, differencesOf(reader, writer, "buf_file"), OPTIONS);
      return witnesses.map((witness) => (witness.status === "not_found" ? witness.reason : "confirmed"));
    };

    expect(reasonsOf(5).some((reason) => reason.includes("work limit"))).toBe(false);
    expect(reasonsOf(100).at(-1)).toContain("work limit");
    expect(MAX_WITNESS_WORK).toBeLessThan(100 * 100 * 200);
  });

  it("terminates on messages that require themselves", () => {
    const text = (type: string) => `syntax = "proto2";\nmessage M { required M m = 1; optional ${type} x = 2; }`;

    const [found] = witnessesOf(text("string"), text("int32"), "semantic");

    expect(found!.witness.status).toBe("not_found");
  });

  it("shows unlisted values of an open enum only for writers any", () => {
    const text = (option: string) => `edition = "2023";\nenum E { ${option} ZERO = 0; }\nmessage M { E x = 1; }`;
    const [reader, writer] = [model(text("option features.enum_type = CLOSED;")), model(text(""))];
    const witnessOf = (writers: "declared" | "any") => {
      const differences = differencesOf(reader, writer, "semantic", writers);
      return { differences, witnesses: protobufWitnesses(reader, writer, differences, { ...OPTIONS, writers }) };
    };

    expect(rateSeverity("ENUM_CLOSED", "declared")).toBe("warning");
    expect(witnessOf("declared").witnesses[0]).toMatchObject({ status: "not_found" });
    expect(witnessOf("any").differences[0]).toMatchObject({ severity: "breaking" });
    expect(witnessOf("any").witnesses[0]).toMatchObject({ status: "confirmed" });
  });
});
