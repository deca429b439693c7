/** Compares a reader with a writer: decides every pair of types first, then collects the differences. */

import type { CompareOptions, Comparison, ComparisonRefusal } from "../../compatibility.ts";
import { toComparison } from "../../difference-list.ts";
import { ok, type Result, refuse } from "../../result.ts";
import { runAtOnce, type Sliced } from "../../slices.ts";
import { TooComplexComparison, WorkMeter } from "../../work-meter.ts";
import type { AvroModel } from "../model.ts";
import { DefaultChecker } from "../parse/default-value.ts";
import { AttributeTexts } from "./attribute-texts.ts";
import { CONFLUENT_RULES } from "./confluent/rules.ts";
import { DifferenceWalk, type LocatedDifference } from "./locate-differences.ts";
import { PairGraph } from "./pair-graph.ts";
import type { CompareContext, PolicyRules } from "./policy-rules.ts";
import { SEMANTIC_RULES } from "./semantic/rules.ts";
import { BranchFinder } from "./union-branches.ts";

/**
 * Bounds the fields, names and symbols visited over all pairs of types, and the number of pairs. Two records of 50,000
 * fields that all changed use half of it. All of it takes about 300 ms and 30 MB.
 */
const MAX_COMPARE_WORK = 2_000_000;
/**
 * Collecting the differences visits each pair a second time and its parts up to twice, and also compares attributes.
 */
const MAX_LIST_WORK = 3 * MAX_COMPARE_WORK;

type LocatedComparison = Result<{ located: LocatedDifference[]; total: number }, ComparisonRefusal>;

export function compareAvro(reader: AvroModel, writer: AvroModel, options: CompareOptions): Comparison {
  return runAtOnce(compareInSlices(reader, writer, options));
}

/** The same, pausing now and then so that others get a turn. */
export function* compareInSlices(reader: AvroModel, writer: AvroModel, { policy }: CompareOptions): Sliced<Comparison> {
  const result = yield* locateDifferences(reader, writer, policy === "semantic" ? SEMANTIC_RULES : CONFLUENT_RULES);
  if (!result.ok) return result;
  const differences = result.value.located.map(({ difference }) => difference);
  return toComparison(differences, result.value.total);
}

export function* locateDifferences(
  reader: AvroModel,
  writer: AvroModel,
  rules: PolicyRules,
): Sliced<LocatedComparison> {
  let meter = new WorkMeter(MAX_COMPARE_WORK);
  let placeOf = () => graph.place();
  const spend = (steps: number) => meter.spend(steps, placeOf);
  const graph = new PairGraph(newContext(rules, true, spend));
  const walk = new DifferenceWalk(graph, newContext(rules, false, spend));
  try {
    yield* graph.decide(reader.root, writer.root, meter);
    yield meter.takeMicros();
    meter = new WorkMeter(MAX_LIST_WORK);
    placeOf = () => walk.place();
    const list = yield* walk.list({ reader: reader.root, writer: writer.root }, meter);
    return ok({ located: list.reported(), total: list.total });
  } catch (error) {
    if (!(error instanceof TooComplexComparison)) throw error;
    const { pointer } = error;
    const message = `Reader and writer are too complex to compare, at ${pointer || "the root"}: their types meet in too many pairs.`;
    return refuse({ reason: "too_complex", pointer, message });
  } finally {
    yield meter.takeMicros();
  }
}

function newContext(rules: PolicyRules, isDeciding: boolean, spend: (steps: number) => void): CompareContext {
  return {
    rules,
    branches: new BranchFinder(),
    defaults: new DefaultChecker(),
    texts: new AttributeTexts(spend),
    isDeciding,
    spend,
  };
}
