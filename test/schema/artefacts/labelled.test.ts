import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { FORMAT_NAMES, isArtefact } from "../../../schema/format.ts";
import { labelledVerdicts, renderLabelled } from "../../../scripts/labelled-verdicts.ts";

/** Fewer changes per format would let one judgement move its matrix by several points. */
const LEAST_CHANGES = 30;
/** Labelled breaking and judged so, of all labelled breaking. */
const LEAST_FOUND = 0.9;

const all = labelledVerdicts(".");
const breaking = all.filter(({ label }) => label === "breaking");

describe("labelled changes of artefacts", () => {
  it("match docs/artefact-verdicts.md", () => {
    expect(renderLabelled(all)).toBe(readFileSync("docs/artefact-verdicts.md", "utf8"));
  });

  it.each(FORMAT_NAMES.filter(isArtefact))("has enough different ones of a %s", (format) => {
    const own = new Set(all.filter((each) => each.format === format).map(({ description }) => description));

    expect(own.size).toBeGreaterThanOrEqual(LEAST_CHANGES);
  });

  it("are judged breaking if they break users, with few exceptions", () => {
    const found = breaking.filter(({ verdict }) => verdict === "breaking");

    expect(found.length / breaking.length).toBeGreaterThanOrEqual(LEAST_FOUND);
  });

  it("are never judged harmless if they break users", () => {
    expect(breaking.filter(({ verdict }) => verdict === "harmless")).toEqual([]);
  });

  it("are never judged breaking if they break nobody", () => {
    const alarms = all.filter(({ label, verdict }) => verdict === "breaking" && label !== "breaking");

    expect(alarms).toEqual([]);
  });
});
