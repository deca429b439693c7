/** Compares unions: which of the reader's branches reads each type that the writer can write. */
import { type AvroType, type AvroUnion, isNamed, typeName } from "../model.ts";
import {
  type BranchChoice,
  type BranchPair,
  describeAvroType,
  type Entry,
  type LocalDifference,
  only,
} from "./entry.ts";
import type { CompareContext } from "./policy-rules.ts";
import { makeLoss } from "./semantic/losses.ts";

/** The reader must read every branch of the writer's union. */
export function* expandWriterUnion(reader: AvroType, writer: AvroUnion, context: CompareContext): Generator<Entry> {
  const isReordered = !context.isDeciding && reader.kind === "union" && !haveSameBranches(reader, writer);
  for (const [index, branch] of writer.branches.entries()) {
    const step = `/${index}`;
    if (reader.kind !== "union") yield only(reader, branch, "", step);
    else yield* expandReaderUnion(reader, branch, step, isReordered, context);
  }
}

/** `isChanged`: whether the reader's branches differ from the writer's, so that their order deserves a warning. */
export function* expandReaderUnion(
  reader: AvroUnion,
  writer: AvroType,
  writerStep: string,
  isChanged: boolean,
  context: CompareContext,
): Generator<Entry> {
  yield unionPart(reader, writer, writerStep, context);
  const earlier = isChanged ? context.branches.earlierMatch(reader, writer) : undefined;
  if (earlier !== undefined) yield earlierBranchMatches(reader, earlier, writer, writerStep, context);
}

/** If resolution selects a branch, that branch's own differences explain a failure. */
function unionPart(reader: AvroUnion, writer: AvroType, writerStep: string, context: CompareContext): BranchChoice {
  const isTaken = !context.rules.triesEveryBranch && context.branches.first(reader, writer) !== undefined;
  return {
    options: optionsFor(reader, writer, writerStep, context),
    onFailure: isTaken ? null : () => missingBranch(writer, writerStep),
  };
}

function* optionsFor(
  reader: AvroUnion,
  writer: AvroType,
  writerStep: string,
  context: CompareContext,
): Generator<BranchPair> {
  for (const at of context.branches.all(reader, writer)) {
    yield { reader: reader.branches[at]!, writer, readerStep: `/${at}`, writerStep };
    if (!context.rules.triesEveryBranch) return;
  }
}

function missingBranch(writer: AvroType, writerStep: string): LocalDifference {
  return {
    kind: "MISSING_UNION_BRANCH",
    severity: "breaking",
    message: `The reader's union has no branch that reads the writer's ${describeAvroType(writer)}.`,
    fix: `Add ${describeAvroType(writer)} to the reader's union.`,
    readerStep: "",
    writerStep,
  };
}

function earlierBranchMatches(
  reader: AvroUnion,
  earlier: number,
  writer: AvroType,
  writerStep: string,
  context: CompareContext,
): LocalDifference {
  const [written, taken] = [describeAvroType(writer), describeAvroType(reader.branches[earlier]!)];
  const loss = makeLoss(
    "EARLIER_BRANCH_MATCHES",
    `Libraries that take the first matching branch read the writer's ${written} as ${taken}, which comes earlier in the reader's union.`,
  );
  return {
    ...loss,
    severity: context.rules.severityOfLoss(loss.severity),
    readerStep: `/${earlier}`,
    writerStep,
  };
}

function haveSameBranches(a: AvroUnion, b: AvroUnion): boolean {
  return (
    a.branches.length === b.branches.length &&
    a.branches.every((branch, at) => {
      const other = b.branches[at]!;
      return branch.kind === other.kind && (!isNamed(branch) || typeName(branch) === typeName(other));
    })
  );
}
