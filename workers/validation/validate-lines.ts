/**
 * Validates lines of JSON: in groups by the compiled engine if that pays off, and the remaining lines by the
 * interpreter.
 */
import type { Refusal } from "../../contract/errors.ts";
import { type DataOptions, VALID } from "../../schema/data.ts";
import { readDataBytes } from "../../schema/data-text.ts";
import type { Result } from "../../schema/result.ts";
import { ok } from "../../schema/result.ts";
import type { Edge } from "../edge.ts";
import { type Compiled, compiledFor } from "./compiled.ts";
import { Fairness } from "./fairness.ts";
import { type Line, readLineGroups } from "./lines.ts";
import type { FoundTarget } from "./targets.ts";
import { type ValidationOutcome, validateValue } from "./validate.ts";

type DecidedLine = { line: number; outcome: Result<ValidationOutcome, Refusal> };

/** One array per group of lines, in order. */
export async function* validateLines(
  edge: Edge,
  { target }: FoundTarget,
  chunks: AsyncIterable<Uint8Array>,
  options: DataOptions,
): AsyncGenerator<DecidedLine[], void, undefined> {
  const fairness = new Fairness();
  let compiled: Compiled | undefined;
  for await (const group of readLineGroups(chunks)) {
    const readable = group.flatMap((line) => ("bytes" in line ? [line.bytes] : []));
    target.heat.add(readable.length, edge.now());
    compiled ??= await compiledFor(edge, [target], "value", options);
    const valid = await compiled?.check(readable);
    if (valid === undefined) compiled = undefined;
    let index = 0;
    const decide = (line: Line): Result<ValidationOutcome, Refusal> => {
      if ("unreadable" in line) return ok({ verdict: line.unreadable, engine: "interpreted" });
      index += 1;
      if (valid?.[index - 1] === 1) return ok({ verdict: VALID, engine: "compiled" });
      const read = readDataBytes(line.bytes);
      if (!read.ok) return ok({ verdict: read.refusal, engine: "interpreted" });
      return validateValue(target, read.value, options);
    };
    const decided: DecidedLine[] = [];
    for (const line of group) {
      const outcome = decide(line);
      decided.push({ line: line.line, outcome });
      const turn = fairness.after(outcome);
      if (turn !== undefined) await turn;
    }
    yield decided;
  }
}
