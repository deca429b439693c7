/** A data set: the rows that it gives to readers, and what is expected of them. */
import type { ArtefactModel } from "../artefact.ts";
import type { PartDeclaration } from "../parts.ts";
import type { Sketch } from "./sketch.ts";

export type Expectation = {
  name: string;
  severity: "breaking" | "warning";
  /** CEL over `row`: the expectation counts only for rows for which it is true. */
  when?: string;
  column?: string;
  /** The largest share of rows without the column. */
  max_null_rate?: number;
  unique?: boolean;
  minimum?: number;
  maximum?: number;
  pattern?: string;
  /** CEL over `row`. */
  expression?: string;
};

export type DatasetFields = {
  /** Ordered: the integer in a row is the index of its label. */
  classNames: ReadonlyMap<string, readonly string[]>;
  /** Number of rows per split; null if not declared. */
  splits: ReadonlyMap<string, number | null>;
  expectations: readonly Expectation[];
  sketch: Sketch | null;
};

export type DatasetModel = ArtefactModel<DatasetFields>;

export const ROW_PART: PartDeclaration = {
  name: "row",
  variance: "out",
  giver: "the data set",
  taker: "the reader",
  steers: false,
  warnsOfRemoval: false,
  refusesClosing: false,
  isBareEmpty: false,
};
