/** Differences of a data set's own fields: what its integers mean, which splits there are, and what is expected of rows. */
import { differenceAt, provenBy } from "../artefact.ts";
import type { Difference } from "../compatibility.ts";
import { pointerToken } from "../json-text.ts";
import type { Witness } from "../witness.ts";
import type { DatasetModel } from "./model.ts";

export function compareDatasets(reader: DatasetModel, writer: DatasetModel): Difference[] {
  return [
    ...classDifferences(reader, writer),
    ...splitDifferences(reader, writer),
    ...expectationDifferences(reader, writer),
  ];
}

function classDifferences(reader: DatasetModel, writer: DatasetModel): Difference[] {
  const found: Difference[] = [];
  const columns = new Set([...reader.own.classNames.keys(), ...writer.own.classNames.keys()]);
  for (const column of columns) {
    const now = reader.own.classNames.get(column);
    const before = writer.own.classNames.get(column);
    const pointer = `/classes/${pointerToken(column)}`;
    const add = (kind: string, severity: Difference["severity"], message: string, fix?: string) => {
      found.push(differenceAt([reader, writer], pointer, { kind, severity, message, ...(fix ? { fix } : {}) }));
    };
    if (now === undefined) {
      add("CLASS_LABELS_REMOVED", "breaking", `The integers in "${column}" no longer have labels.`);
      continue;
    }
    if (before === undefined) {
      add("CLASS_LABELS_ADDED", "info", `The integers in "${column}" now have labels.`);
      continue;
    }
    const moved = before.findIndex((className, index) => now[index] !== className);
    if (moved !== -1) {
      const meaning = now[moved] === undefined ? "nothing" : `"${now[moved]}"`;
      const message = `In "${column}", ${moved} meant "${before[moved]}" and now means ${meaning}.`;
      add("CLASS_LABELS_REORDERED", "breaking", message, "Append new labels, and keep those that are no longer used.");
    } else if (now.length > before.length) {
      add("CLASS_LABELS_APPENDED", "info", `"${column}" has ${now.length - before.length} more labels at the end.`);
    }
  }
  return found;
}

function splitDifferences(reader: DatasetModel, writer: DatasetModel): Difference[] {
  const [now, before] = [reader.own.splits, writer.own.splits];
  const at = (name: string, difference: Pick<Difference, "kind" | "message" | "severity">) =>
    differenceAt([reader, writer], `/splits/${pointerToken(name)}`, difference);
  return [...new Set([...now.keys(), ...before.keys()])].flatMap((name): Difference[] => {
    if (!now.has(name)) {
      return [
        at(name, { kind: "SPLIT_REMOVED", severity: "breaking", message: `There is no split "${name}" any more.` }),
      ];
    }
    if (!before.has(name))
      return [at(name, { kind: "SPLIT_ADDED", severity: "info", message: `There is a split "${name}".` })];
    const [rows, earlier] = [now.get(name), before.get(name)];
    if (rows === earlier) return [];
    const message = `The split "${name}" has ${rows ?? "an unknown number of"} rows instead of ${earlier ?? "an unknown number"}.`;
    return [at(name, { kind: "SPLIT_ROWS_CHANGED", severity: "behaviour", message })];
  });
}

function expectationDifferences(reader: DatasetModel, writer: DatasetModel): Difference[] {
  const byName = (model: DatasetModel) =>
    new Map(model.own.expectations.map((each, index) => [each.name, { each, index }]));
  const [now, before] = [byName(reader), byName(writer)];
  return [...new Set([...now.keys(), ...before.keys()])].flatMap((name): Difference[] => {
    const [current, earlier] = [now.get(name), before.get(name)];
    const place = {
      reader_pointer: current ? `/expectations/${current.index}` : null,
      writer_pointer: earlier ? `/expectations/${earlier.index}` : null,
    };
    if (!current) {
      const message = `Rows are no longer expected to meet "${name}", on which readers may rely.`;
      return [{ kind: "EXPECTATION_REMOVED", severity: "warning", message, ...place }];
    }
    if (!earlier)
      return [{ kind: "EXPECTATION_ADDED", severity: "info", message: `Rows must meet "${name}".`, ...place }];
    if (JSON.stringify(current.each) === JSON.stringify(earlier.each)) return [];
    return [
      { kind: "EXPECTATION_CHANGED", severity: "warning", message: `"${name}" expects something else.`, ...place },
    ];
  });
}

/** A row of the new version, decoded by the earlier one. */
export function witnessOfDataset(
  reader: DatasetModel,
  writer: DatasetModel,
  difference: Difference,
): Witness | undefined {
  const { kind, reader_pointer, writer_pointer } = difference;
  const pointer = reader_pointer ?? writer_pointer ?? "";
  if (kind === "SPLIT_REMOVED") {
    const split = [...writer.own.splits.keys()].find((name) => pointer === `/splits/${pointerToken(name)}`);
    return split === undefined || reader.own.splits.has(split)
      ? undefined
      : provenBy(
          "dataset",
          { split },
          `There is no split "${split}" (there are ${[...reader.own.splits.keys()].join(", ") || "none"}).`,
        );
  }
  if (kind !== "CLASS_LABELS_REORDERED" && kind !== "CLASS_LABELS_REMOVED") return undefined;
  for (const [column, before] of writer.own.classNames) {
    if (pointer !== `/classes/${pointerToken(column)}`) continue;
    const now = reader.own.classNames.get(column);
    const moved = before.findIndex((className, index) => now?.[index] !== className);
    if (moved === -1) return undefined;
    const className = now?.[moved];
    const means = className === undefined ? "stands for nothing" : `stands for "${className}"`;
    return provenBy("dataset", { [column]: moved }, `The reader takes it for "${before[moved]}"; it ${means}.`);
  }
  return undefined;
}
