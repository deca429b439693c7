/** An evaluation: what is measured, on which data, with which prompt, and how. */
import type { ArtefactModel } from "../artefact.ts";
import type { PartDeclaration } from "../parts.ts";

export type Metric = {
  name: string;
  lower_is_better: boolean;
  minimum?: number;
  maximum?: number;
  aggregation?: string;
  standard_error?: string;
};

/** What the evaluation runs on: a registered version, or an address outside. */
export type EvaluationInput = { subject: string; version: number } | { address: string } | null;

export type EvaluationFields = {
  task: string;
  /** A claim of the authors; shown with every verdict, but never used as evidence. */
  taskVersion: string | null;
  dataset: EvaluationInput;
  datasetSplit: string | null;
  /** Addresses that the author declares to hold the same data. */
  sameAs: readonly string[];
  prompt: EvaluationInput;
  shots: number | null;
  seeds: readonly number[];
  metrics: ReadonlyMap<string, Metric>;
  generation: string;
  /** Opaque code, identified by its digest. */
  code: string | null;
};

export type EvaluationModel = ArtefactModel<EvaluationFields>;

export const CASE_PART: PartDeclaration = {
  name: "case",
  variance: "both",
  giver: "the author of the cases",
  taker: "the harness",
  steers: false,
  warnsOfRemoval: false,
  refusesClosing: false,
  isBareEmpty: false,
};
