/**
 * Random histories of a simulated registry. A command's choice among existing items follows from its number, so
 * histories shrink.
 */
import fc from "fast-check";
import type { Attributes } from "../../../registry/record.ts";
import type { MadeRegistry } from "./made-registry.ts";

export type MadeCommand = { kind: number; pick: number; text: string };

/** Words of human text, and characters that Postgres cannot store. */
const TEXTS = ["", "plain words", "naïve 漢字 🙂", "a zero \0 inside", "half \ud83d a pair", '{"json": "\\u0000"}'];
const CONTEXTS = [".", ".other"];

export const anyHistory: fc.Arbitrary<MadeCommand[]> = fc.array(
  fc.record({ kind: fc.nat(99), pick: fc.nat(1_000), text: fc.constantFrom(...TEXTS) }),
  { minLength: 20, maxLength: 80 },
);

/** Executes a command, or nothing if there is nothing to apply it to. */
export function perform(registry: MadeRegistry, { kind, pick, text }: MadeCommand): void {
  const records = [...registry.records.values()];
  const record = records[pick % Math.max(1, records.length)];
  const name = { context: CONTEXTS[pick % 7 === 0 ? 1 : 0]!, subject: `subject-${pick % 4}` };
  if (kind < 34 || record === undefined) {
    const attributes = pick % 3 === 0 ? null : attributesOf(text, pick);
    const references =
      pick % 5 === 0 && record?.versionNumber
        ? [{ name: "other", subject: record.subject, version: record.versionNumber }]
        : [];
    registry.register(name, [`field_${pick % 6}`, "Identifier"], { attributes, draft: pick % 8 === 0, references });
  } else if (kind < 45) registry.describe(record.recordKey, attributesOf(text, pick));
  else if (kind < 55) {
    if (record.state === "draft" || record.state === "archived") registry.activate(record.recordKey);
    else registry.move(record.recordKey, pick % 2 === 0 ? "deprecated" : "archived");
  } else if (kind < 65) registry.setDeleted([record.recordKey], !record.deleted);
  else if (kind < 77) {
    const siblings = records.filter(({ subjectKey }) => subjectKey === record.subjectKey);
    registry.erase((pick % 2 === 0 ? siblings : [record]).map(({ recordKey }) => recordKey));
  } else if (kind < 86) registry.configure(name, pick % 3 === 0 ? null : { compatibilityLevel: "NONE", note: pick });
  else if (kind < 91) {
    registry.setModes([
      { ...name, mode: pick % 2 === 0 ? "READONLY" : null },
      { context: name.context, subject: "", mode: "READONLY" },
    ]);
  } else if (kind < 97) registry.deleteContext(name.context);
  else registry.appendUnknown();
}

function attributesOf(text: string, pick: number): Attributes {
  return {
    description: text,
    tags: pick % 2 === 0 ? [] : [`tag-${pick % 3}`, text],
    owner: pick % 4 === 0 ? null : `team-${pick % 5}`,
    metadata: pick % 2 === 0 ? {} : { pick, nested: { list: [1, null, "x"] } },
    role: pick % 6 === 0 ? "event" : null,
  };
}
