/**
 * Decides whether calling the compiled engine is cheaper than interpreting. In microseconds of CPU, measured by
 * bench/parts/validation.ts; only the ratios matter.
 */
import type { DataForm } from "../../schema/data.ts";
import type { FormatName } from "../../schema/format.ts";
import type { Target } from "./targets.ts";

/** A call of another isolate. */
const CALL_MICROS = 130;
/** Serialising a parsed value and parsing it in the other isolate, per KiB. */
const REWRITTEN_MICROS = 9;
/** Copying bytes to another isolate, per KiB. */
const COPIED_MICROS = 3;
/** Evaluating one schema of JSON Schema; compiled, half of that. */
const STEP_MICROS = 0.2;
const COMPILED_SHARE = 0.5;
/** The cost per KiB in both engines, for formats whose interpreter does not count its work. */
const MICROS_PER_KIB: Partial<Record<FormatName, Record<DataForm, { interpreted: number; compiled: number }>>> = {
  avro: { value: { interpreted: 14, compiled: 1 }, bytes: { interpreted: 75, compiled: 17 } },
  protobuf: { value: { interpreted: 0, compiled: 0 }, bytes: { interpreted: 28, compiled: 17 } },
};
const KIB = 1_024;

/** Microseconds that compiling saves for a datum of this size and each of the schemas; negative if it costs more. */
function savedMicros(targets: readonly Target[], form: DataForm, bytes: number): number {
  let saved = -CALL_MICROS - (bytes / KIB) * (form === "value" ? REWRITTEN_MICROS : COPIED_MICROS);
  for (const { format, heat } of targets) {
    const perKib = MICROS_PER_KIB[format.name]?.[form];
    saved +=
      perKib === undefined
        ? heat.averageSteps * STEP_MICROS * (1 - COMPILED_SHARE)
        : (bytes / KIB) * (perKib.interpreted - perKib.compiled);
  }
  return saved;
}

/** The saving must be at least the cost of the call again, because invalid data is interpreted afterwards. */
export function paysToCompile(targets: readonly Target[], form: DataForm, bytes: number): boolean {
  return savedMicros(targets, form, bytes) >= CALL_MICROS;
}

/** Whether it may pay for a value whose size is not known yet. */
export function mayPayToCompile(targets: readonly Target[], form: DataForm): boolean {
  return targets.some(({ format }) => MICROS_PER_KIB[format.name] !== undefined) || paysToCompile(targets, form, 0);
}
