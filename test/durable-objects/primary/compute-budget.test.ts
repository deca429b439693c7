import { runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { COMPUTE_BUDGET_MICROS } from "../../../durable-objects/primary/decide/compute.ts";
import type { PrimaryObject } from "../../../durable-objects/primary/object.ts";
import { PROTOCOL_VERSION } from "../../../registry/rpc.ts";
import type { SchemaFormat } from "../../../schema/format.ts";
import { formatNamed } from "../../../schema/formats.ts";
import { manyPatterns } from "../../support/hostile-schemas.ts";
import {
  commit,
  lastSeq,
  type PrimaryStub,
  primaryWith,
  register,
  registerCommand,
  request,
  useFormat,
} from "./commands.ts";
import { lineFormat } from "./line-format.ts";

/** The costs besides comparing: reading texts of one character. */
const REST_MICROS = 100;

/** A format whose comparisons count this much work, in slices of 50 ms. */
function countingFormat(micros: number): SchemaFormat<unknown> & { slices: number } {
  const format = {
    ...lineFormat(),
    slices: 0,
    *compareInSlices(...args: Parameters<SchemaFormat<unknown>["compare"]>) {
      for (let left = micros; left > 0; left -= 50_000) {
        format.slices += 1;
        yield Math.min(left, 50_000);
      }
      return lineFormat().compare(...args);
    },
  };
  return format as SchemaFormat<unknown> & { slices: number };
}

/** Each version is compared in both directions: one for the level, the other for the semantic version. */
const COMPARISONS = 2;

/** A subject with a version that a format with this cost compares with the next one. */
async function withVersion(micros: number) {
  const format = countingFormat(micros);
  const primary = await primaryWith();
  await register(primary, "orders", "a");
  await useFormat(primary, format);
  return { primary, format };
}

function computing(primary: PrimaryStub, text: string) {
  return primary.commit(request(registerCommand("orders", text), { computeMissing: true }));
}

const BUSY = { ok: false, refusal: { error: "BUSY", retryAfterSeconds: 1 } };

describe("a command whose facts the primary computes", () => {
  it(`may use ${COMPUTE_BUDGET_MICROS / 1_000} ms of counted work`, async () => {
    const { primary } = await withVersion((COMPUTE_BUDGET_MICROS - REST_MICROS) / COMPARISONS);

    expect(await computing(primary, "b")).toMatchObject({
      ok: true,
      value: { type: "done", outcome: { record: { versionNumber: 2 } } },
    });
  });

  it("is refused as busy beyond that, stops after the slice, and changes nothing", async () => {
    const { primary, format } = await withVersion(10 * COMPUTE_BUDGET_MICROS);

    expect(await computing(primary, "b")).toMatchObject(BUSY);

    expect(format.slices).toBe(COMPUTE_BUDGET_MICROS / 50_000);
    expect(await lastSeq(primary)).toBe(1);
  });

  it("is refused for one microsecond too many, however many facts share the budget", async () => {
    const { primary } = await withVersion((COMPUTE_BUDGET_MICROS + 1) / COMPARISONS);

    expect(await computing(primary, "b")).toMatchObject(BUSY);
    expect(await lastSeq(primary)).toBe(1);
  });

  it("is executed once an edge supplies the facts", async () => {
    const { primary } = await withVersion(10 * COMPUTE_BUDGET_MICROS);
    expect(await computing(primary, "b")).toMatchObject(BUSY);

    expect(await commit(primary, registerCommand("orders", "b"))).toMatchObject({ ok: true, value: { type: "done" } });
  });

  it("spends budget on the text that it reads", async () => {
    const { primary } = await withVersion(0);
    await useFormat(primary, lineFormat());

    const text = "b".repeat(COMPUTE_BUDGET_MICROS * 20);

    expect(await computing(primary, text)).toMatchObject(BUSY);
    expect(await lastSeq(primary)).toBe(1);
  });

  it("is refused as busy for schemas whose comparison takes longer", async () => {
    const { writer, reader } = manyPatterns(1_000);
    const format = formatNamed("json-schema");
    const primary = await primaryWith(format);
    const named = { format: "json-schema" } as const;
    await commit(primary, registerCommand("orders", writer, named), { format });

    const answer = await primary.commit(request(registerCommand("orders", reader, named), { computeMissing: true }));

    expect(answer).toMatchObject(BUSY);
    expect(await lastSeq(primary)).toBe(1);
  });
});

describe("a check whose facts the primary computes", () => {
  it("is refused as busy beyond the same budget", async () => {
    const { primary } = await withVersion(COMPUTE_BUDGET_MICROS + 1);
    const { name, format, text, references, normalise, dialect } = registerCommand("orders", "b");

    const answer = await runInDurableObject(primary, (object: PrimaryObject) =>
      object.check({
        v: PROTOCOL_VERSION,
        tenant: "test",
        name,
        format,
        text,
        references,
        normalise,
        dialect,
        metadata: null,
        ruleSet: null,
        selector: "level",
        facts: [],
        computeMissing: true,
      }),
    );

    expect(answer).toMatchObject(BUSY);
  });
});
