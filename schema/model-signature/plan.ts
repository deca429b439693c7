/** What a new signature asks of callers, and the fragments that make servers enforce new outputs. */
import type { Difference } from "../compatibility.ts";
import { boundedPlan, type Plan, type PlanAction } from "../plan.ts";
import type { SignatureModel } from "./model.ts";

/** A fragment longer than this is taken from a projection instead. */
const MAX_FRAGMENT_CHARACTERS = 2_000;

export function planForSignature(
  _previous: SignatureModel,
  next: SignatureModel,
  differences: readonly Difference[],
): Plan {
  const actions = differences.flatMap(
    ({ severity, message: reason, reader_pointer, writer_pointer, part }): PlanAction[] => {
      const place = reader_pointer ?? writer_pointer;
      const pointer = place === null ? {} : { pointer: place };
      if (severity === "behaviour") return [{ action: "evaluate", ...pointer, reason }];
      if (severity !== "breaking") return [];
      return [{ action: part?.variance === "out" ? "change_reader" : "change_caller", ...pointer, reason }];
    },
  );
  const isOutputChanged = differences.some(({ part, severity }) => part?.name === "outputs" && severity !== "info");
  return boundedPlan([...actions, ...(isOutputChanged ? fragmentsOf(next) : [])]);
}

/** Guided decoding keeps to the old schema until its requests carry the new one. */
function fragmentsOf({ own }: SignatureModel): PlanAction[] {
  return [...own.outputSchemas].flatMap(([name, schema]): PlanAction[] => {
    const text = JSON.stringify(schema);
    const reason = `Guided decoding must use the new schema of "${name}".`;
    if (text.length > MAX_FRAGMENT_CHARACTERS) {
      const note = "The schema is too long for a plan; take it from this version.";
      return [{ action: "update_guided_decoding", pointer: `/outputs/${name}`, reason, note }];
    }
    const commands = [
      { store: "vllm", command: `{"structured_outputs":{"json":${text}}}` },
      { store: "tensorrt-llm", command: `{"response_format":{"type":"json_schema","json_schema":{"schema":${text}}}}` },
      { store: "ollama", command: `{"format":${text}}` },
    ];
    return [{ action: "update_guided_decoding", pointer: `/outputs/${name}`, reason, commands }];
  });
}
