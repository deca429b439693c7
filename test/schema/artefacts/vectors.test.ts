import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Difference } from "../../../schema/compatibility.ts";
import { FORMAT_NAMES, isArtefact } from "../../../schema/format.ts";
import { compared, modelOf, type Reference } from "./models.ts";

const FOLDER = "contract/vectors/compatibility";
/** The share of a format's breaking differences in the vectors that must have a confirmed witness. */
const LEAST_CONFIRMED = 0.9;

type Expected = { kind: string; pointer: string | null; severity: string };
/** `backward`: what users of `before` meet in `after`; `forward`: the reverse. */
type Vector = {
  description: string;
  references?: Reference[];
  /** In place of `references`, if the later content has others. */
  after_references?: Reference[];
  before: unknown;
  after: unknown;
  backward: Expected[];
  forward: Expected[];
};

function shown({ kind, reader_pointer, writer_pointer, severity }: Difference): Expected {
  return { kind, pointer: reader_pointer ?? writer_pointer, severity };
}

describe.each(FORMAT_NAMES.filter(isArtefact))("comparing versions of a %s", (name) => {
  const folder = join(FOLDER, name);
  const vectors = (existsSync(folder) ? readdirSync(folder) : []).flatMap(
    (file) => JSON.parse(readFileSync(join(folder, file), "utf8")) as Vector[],
  );
  const pairOf = ({ before, after, references, after_references: later = references }: Vector) => ({
    before: modelOf(name, before, references),
    after: modelOf(name, after, later),
  });

  it.each(vectors.map((vector) => [vector.description, vector] as const))("reports that %s", (_, vector) => {
    const { before, after } = pairOf(vector);

    expect(compared(name, after, before).differences.map(shown)).toEqual(vector.backward);
    expect(compared(name, before, after).differences.map(shown)).toEqual(vector.forward);
  });

  it("confirms a witness for nearly every breaking difference", () => {
    const found = vectors.flatMap((vector) => {
      const { before, after } = pairOf(vector);
      return [compared(name, after, before), compared(name, before, after)];
    });
    const witnesses = found.flatMap(({ differences, witnesses: all }) =>
      all.filter((_, index) => differences[index]!.severity === "breaking"),
    );
    const confirmed = witnesses.filter(({ status }) => status === "confirmed");

    expect(witnesses.length).toBeGreaterThan(0);
    expect(confirmed.length / witnesses.length).toBeGreaterThanOrEqual(LEAST_CONFIRMED);
  });

  it("gives a version that is compared with itself no difference", () => {
    for (const vector of vectors) {
      const { before, after } = pairOf(vector);
      expect(compared(name, before, before).differences, vector.description).toEqual([]);
      expect(compared(name, after, after).differences, vector.description).toEqual([]);
    }
  });
});
