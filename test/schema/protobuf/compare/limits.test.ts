import { describe, expect, it } from "vitest";
import { POLICIES } from "../../../../schema/compatibility";
import { compareProtobuf } from "../../../../schema/protobuf/compare";
import { MAX_COMPARE_WORK } from "../../../../schema/protobuf/compare/work";
import { kindsOf, model } from "./models";

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

  it("refuses ranges against ranges beyond the bound instead of hanging", () => {
    const reserved = (step: number) => {
      const numbers = Array.from({ length: 4_000 }, (_, at) => `reserved ${2 * at + step};`);
      return model(`syntax = "proto3";\nmessage M { ${numbers.join(" ")} }`);
    };
    const started = performance.now();

    const comparison = compareProtobuf(reserved(1), reserved(2), { policy: "buf_wire", writers: "declared" });

    expect(comparison).toMatchObject({ ok: false, reason: "too_complex" });
    expect(performance.now() - started).toBeLessThan(5_000);
  });
});
