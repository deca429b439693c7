import { describe, expect, it } from "vitest";
import { MAX_DEFAULT_STEPS } from "../../../../schema/avro/parse/default-value.ts";
import { formatNamed } from "../../../../schema/formats.ts";

const MEMBERS = 2_000;

/** Every field's default leaves out all members of one record, each of which is visited. */
function withDefaults(count: number): string {
  const members = Array.from({ length: MEMBERS }, (_, index) => ({ name: `m${index}`, type: "int", default: 0 }));
  const record = { type: "record", name: "Large", fields: members };
  const fields = Array.from({ length: count }, (_, index) => ({
    name: `f${index}`,
    type: index === 0 ? record : "Large",
    default: {},
  }));
  return JSON.stringify({ type: "record", name: "Outer", fields });
}

describe("parsing an Avro schema", () => {
  const parse = (count: number) =>
    formatNamed("avro").parse(
      { text: withDefaults(count), references: [] },
      { strictness: "new", defaultDialect: "2020-12" },
    );

  it(`visits ${MAX_DEFAULT_STEPS} values for defaults and refuses a schema that needs more`, () => {
    const count = MAX_DEFAULT_STEPS / MEMBERS;

    expect(parse(count - 10)).toMatchObject({ ok: true });
    expect(parse(count + 10)).toMatchObject({
      ok: false,
      refusal: {
        reason: "too_complex",
        problems: [{ message: expect.stringContaining(String(MAX_DEFAULT_STEPS)), pointer: expect.any(String) }],
      },
    });
  });
});
