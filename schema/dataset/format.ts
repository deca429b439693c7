/** Data sets behind the interface that all formats share. */
import { ANY_VALUE, artefactFormat, type OwnFields, partAt, readMember } from "../artefact.ts";
import type { SchemaFormat, SchemaProblem } from "../format.ts";
import { isValidPattern } from "../json/validate/patterns.ts";
import type { JsonObject } from "../json-text.ts";
import { compileCel } from "../rules/cel.ts";
import { compareDatasets, witnessOfDataset } from "./compare.ts";
import { type DatasetFields, type DatasetModel, type Expectation, ROW_PART } from "./model.ts";
import { planForDataset } from "./plan.ts";
import { DATASET_SHAPE } from "./shape.ts";
import { type Sketch, sketchProblem } from "./sketch.ts";

export const dataset: SchemaFormat<DatasetModel> = artefactFormat<DatasetFields>({
  name: "dataset",
  codeVersion: 1,
  shape: DATASET_SHAPE,
  partsOf: (root) => [partAt(root, ROW_PART, ["row"], ANY_VALUE)],
  readOwn,
  compareOwn: compareDatasets,
  witnessOwn: witnessOfDataset,
  plan: planForDataset,
});

function readOwn(root: JsonObject): OwnFields<DatasetFields> {
  const classes = (readMember(root, "classes") ?? {}) as Record<string, string[]>;
  const splits = (readMember(root, "splits") ?? {}) as Record<string, { rows?: number }>;
  const expectations = (readMember(root, "expectations") ?? []) as (Omit<Expectation, "severity"> &
    Partial<Expectation>)[];
  const sketch = (readMember(root, "sketch") as Sketch | undefined) ?? null;
  const problems = [...expectations.flatMap(expectationProblems), ...repeatedNames(expectations)];
  const impossible = sketch === null ? undefined : sketchProblem(sketch);
  if (impossible) problems.push({ ...impossible, pointer: `/sketch${impossible.pointer ?? ""}` });
  return {
    own: {
      classNames: new Map(Object.entries(classes)),
      splits: new Map(Object.entries(splits).map(([name, { rows }]) => [name, rows ?? null])),
      expectations: expectations.map((each) => ({ ...each, severity: each.severity ?? "breaking" })),
      sketch,
    },
    problems,
    warnings: [],
  };
}

function expectationProblems({ when, expression, pattern, column, ...rest }: Partial<Expectation>, index: number) {
  const problems: SchemaProblem[] = [];
  const at = (member: string) => `/expectations/${index}${member}`;
  for (const [member, text] of [
    ["/when", when],
    ["/expression", expression],
  ] as const) {
    const compiled = text === undefined ? undefined : compileCel(text);
    if (compiled && !compiled.ok) problems.push({ rule: "cel", message: compiled.refusal, pointer: at(member) });
  }
  if (pattern !== undefined && !isValidPattern(pattern)) {
    problems.push({
      rule: "pattern",
      message: "The pattern is not a valid regular expression.",
      pointer: at("/pattern"),
    });
  }
  const { max_null_rate, unique, minimum, maximum } = rest;
  const ofColumn = [max_null_rate, unique, minimum, maximum, pattern].some((member) => member !== undefined);
  if (ofColumn !== (column !== undefined) || (!ofColumn && expression === undefined)) {
    const message = 'An expectation is about a "column" with at least one check, or has an "expression".';
    problems.push({ rule: "expectation", message, pointer: at("") });
  }
  if (minimum !== undefined && maximum !== undefined && minimum > maximum) {
    problems.push({ rule: "expectation", message: "No number is in this range.", pointer: at("/maximum") });
  }
  return problems;
}

function repeatedNames(expectations: readonly Pick<Expectation, "name">[]): SchemaProblem[] {
  const seen = new Set<string>();
  return expectations.flatMap(({ name }, index) => {
    if (!seen.has(name)) {
      seen.add(name);
      return [];
    }
    const message = `There is another expectation "${name}".`;
    return [{ rule: "repeated_name", message, pointer: `/expectations/${index}/name` }];
  });
}
