import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { toPlainValue } from "../../../schema/json-text.ts";
import { AnswerContext } from "../../../schema/projection/answer-context.ts";
import { decodeValue } from "../../../schema/projection/decode.ts";
import type { Decoder } from "../../../schema/projection/decoder.ts";
import { projectSchema } from "../../../schema/projection/project.ts";
import { modelOf, profileOf } from "./given.ts";

type Vector = {
  description: string;
  profile: string;
  schema: unknown;
  projected: unknown;
  loss: string | null;
  changes: { kind: string; pointer: string; loss: string }[];
  decoder: Decoder;
  answers: { answer: unknown; value: unknown }[];
};

const FOLDER = "contract/vectors/projection";

describe.each(readdirSync(FOLDER))("%s", (file) => {
  const vectors = JSON.parse(readFileSync(`${FOLDER}/${file}`, "utf8")) as Vector[];

  it.each(vectors)("$profile: $description", (vector) => {
    const projected = projectSchema(modelOf(vector.schema), profileOf(vector.profile));

    if (!projected.ok) throw new Error(JSON.stringify(projected.refusal));
    const { schema, loss, changes, decoder } = projected.value;
    expect(toPlainValue(schema)).toEqual(vector.projected);
    expect(loss).toBe(vector.loss);
    expect(changes.map(({ kind, pointer, loss: cost }) => ({ kind, pointer, loss: cost }))).toEqual(vector.changes);
    expect(decoder).toEqual(vector.decoder);
  });

  it.each(vectors.filter(({ answers }) => answers.length > 0))("$profile: $description, decoded", (vector) => {
    const context = new AnswerContext(vector.decoder, modelOf(vector.schema));

    const values = vector.answers.map(({ answer }) => decodeValue(context, answer));

    expect(values).toEqual(vector.answers.map(({ value }) => value));
  });
});
