import { describe, expect, it } from "vitest";
import { POLICIES } from "../../../../schema/compatibility.ts";
import { MAX_DIFFERENCES } from "../../../../schema/difference-list.ts";
import { compareProtobuf, MAX_COMPARE_WORK } from "../../../../schema/protobuf/compare/compare.ts";
import { kindsOf, model } from "./models.ts";

const LINKS = 3_000;
const chain = (type: string) => {
  const messages = Array.from({ length: LINKS }, (_, at) => `message M${at} { M${at + 1} next = 1; }`);
  return model(`syntax = "proto3";\n${messages.join("\n")}\nmessage M${LINKS} { ${type} x = 1; }`);
};

describe("compareProtobuf", () => {
  it("follows a chain of thousands of messages to its end", () => {
    const comparison = compareProtobuf(chain("string"), chain("int32"), { policy: "strict", writers: "declared" });

    // One field changes its type, and with it the type of every field that contains it.
    expect(comparison).toMatchObject({ ok: true, value: { differences_total: LINKS + 1 } });
    expect(kindsOf(chain("string"), chain("int32"), "semantic")).toEqual(["WIRE_TYPE_CHANGED"]);
  });

  it.each(POLICIES)("refuses at the work limit, and not below it: %s", (policy) => {
    const [reader, writer] = [chain("string"), chain("int32")];
    const options = { policy, writers: "declared" } as const;

    const refused = compareProtobuf(reader, writer, options, LINKS);
    const answered = compareProtobuf(reader, writer, options, 40 * LINKS);

    expect(refused).toMatchObject({
      ok: false,
      refusal: { reason: "too_complex", pointer: expect.stringMatching(/^#/) },
    });
    expect(answered.ok).toBe(true);
    expect(MAX_COMPARE_WORK).toBeGreaterThan(40 * LINKS);
  });

  it.each(POLICIES)("reports differences up to the limit, and their total: %s", (policy) => {
    const text = (type: string, count: number) => {
      const fields = Array.from({ length: count }, (_, at) => `${type} f${at} = ${at + 20_000};`);
      return model(`syntax = "proto3";\nmessage M { ${fields.join("\n")} }`);
    };
    const compare = (count: number) =>
      compareProtobuf(text("string", count), text("int32", count), { policy, writers: "declared" });

    const [all, cut] = [compare(100), compare(33_000)];

    expect(all).not.toHaveProperty("value.differences_total");
    expect(cut).toMatchObject({ ok: true, value: { differences_total: expect.any(Number) } });
    expect(cut.ok && cut.value.differences.length).toBe(MAX_DIFFERENCES);
    expect(cut.ok && cut.value.differences_total).toBeGreaterThanOrEqual(33_000);
    expect(cut.ok && JSON.stringify(cut).length).toBeLessThan(2 ** 20);
  });

  it("reports breaking differences first", () => {
    const text = (extra: string) => {
      const fields = Array.from({ length: 600 }, (_, at) => (extra === "" ? "" : `int32 f${at} = ${at + 2};`));
      return model(`syntax = "proto3";\nmessage M { ${fields.join("\n")} }\nmessage Z { ${extra || "int32"} a = 1; }`);
    };

    const comparison = compareProtobuf(text("string"), text(""), { policy: "semantic", writers: "declared" });

    expect(comparison).toMatchObject({ ok: true, value: { differences_total: 601 } });
    expect(comparison.ok && comparison.value.differences.at(-1)).toMatchObject({ kind: "WIRE_TYPE_CHANGED" });
  });

  it("compares many reserved ranges, fields and values without pairwise comparison", () => {
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
      const comparison = compareProtobuf(reader, writer, { policy, writers: "declared" });

      expect(comparison.ok, policy).toBe(true);
    }
  });
});
