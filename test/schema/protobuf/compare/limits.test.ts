import { describe, expect, it } from "vitest";
import { POLICIES } from "../../../../schema/compatibility.ts";
import { compareProtobuf } from "../../../../schema/protobuf/compare/compare.ts";
import { MAX_COMPARE_WORK } from "../../../../schema/protobuf/compare/work.ts";
import { kindsOf, model } from "./models.ts";

const LINKS = 3_000;
const chain = (type: string) => {
  const messages = Array.from({ length: LINKS }, (_, at) => `message M${at} { M${at + 1} next = 1; }`);
  return model(`syntax = "proto3";\n${messages.join("\n")}\nmessage M${LINKS} { ${type} x = 1; }`);
};

describe("compareProtobuf", () => {
  it("follows a chain of thousands of messages to its end", () => {
    const kinds = kindsOf(chain("string"), chain("int32"), "strict");

    expect(kinds.filter((kind) => kind === "FIELD_NAMED_TYPE_CHANGED")).toHaveLength(LINKS);
    expect(kindsOf(chain("string"), chain("int32"), "semantic")).toEqual(["WIRE_TYPE_CHANGED"]);
  });

  it.each(POLICIES)("refuses where the bound on work is reached, and not below it: %s", (policy) => {
    const [reader, writer] = [chain("string"), chain("int32")];
    const options = { policy, writers: "declared" } as const;

    const refused = compareProtobuf(reader, writer, options, LINKS);
    const answered = compareProtobuf(reader, writer, options, 40 * LINKS);

    expect(refused).toMatchObject({ ok: false, reason: "too_complex", pointer: expect.stringMatching(/^#/) });
    expect(answered.ok).toBe(true);
    expect(MAX_COMPARE_WORK).toBeGreaterThan(40 * LINKS);
  });

  it("compares many reserved ranges, fields and values without comparing each with each", () => {
    const COUNT = 20_000;
    const text = (step: number) => {
      const reserved = Array.from({ length: COUNT }, (_, at) => `reserved ${2 * at + 1 + step};`);
      const fields = Array.from({ length: COUNT }, (_, at) => `int32 f${at} = ${100_000 + 2 * at + step};`);
      const values = Array.from({ length: COUNT }, (_, at) => `V${at}_${step} = ${at};`);
      return model(
        `syntax = "proto3";\nmessage M { ${reserved.join(" ")} ${fields.join(" ")} }\nenum E { ${values.join(" ")} }`,
      );
    };
    const [reader, writer] = [text(0), text(1)];

    for (const policy of POLICIES) {
      const started = performance.now();
      const comparison = compareProtobuf(reader, writer, { policy, writers: "declared" });

      expect(comparison.ok).toBe(true);
      expect(performance.now() - started, policy).toBeLessThan(5_000);
    }
  });
});
