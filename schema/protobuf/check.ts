import type { SchemaProblem } from "../format";
import type { ProtobufModel } from "./model";
export type Checked = {
  errors: readonly SchemaProblem[];
  warnings: readonly SchemaProblem[];
  reason: "invalid" | "too_complex";
};
/** Every rule a new schema must keep to. */
export function checkModel(_model: ProtobufModel): Checked {
  return { errors: [], warnings: [], reason: "invalid" };
}
