/** JSON Schema's implementation of validating, encoding and decoding values. */
import type { DataOperations, DataOptions, DataRefusal, DataVerdict } from "../data.ts";
import { invalid, VALID } from "../data.ts";
import { readDataBytes, writeDataText } from "../data-text.ts";
import { ok, type Result, refuse } from "../result.ts";
import { compilableSchema } from "./compilable.ts";
import type { JsonSchemaModel } from "./model.ts";
import { validateInstance } from "./validate/validate.ts";

export const jsonData: DataOperations<JsonSchemaModel> = {
  validate: validateValue,
  compilable(model, _form, { formats }) {
    const schema = compilableSchema(model);
    return schema === undefined ? undefined : { schema, dialect: model.root.resource.dialect, formats };
  },
  encode(model, value, options) {
    const verdict = validateValue(model, value, options);
    if (!verdict.ok) return verdict;
    return verdict.value.valid ? ok(new TextEncoder().encode(writeDataText(value))) : refuse(verdict.value);
  },
  decode(model, bytes, options) {
    const read = readDataBytes(bytes);
    if (!read.ok) return read;
    const verdict = validateValue(model, read.value, options);
    if (!verdict.ok) return verdict;
    const { valid, warnings } = verdict.value;
    return valid ? ok({ value: read.value, warnings }) : refuse(verdict.value);
  },
};

function validateValue(
  model: JsonSchemaModel,
  value: unknown,
  { formats }: DataOptions,
): Result<DataVerdict, DataRefusal> {
  const result = validateInstance(model, value, { formats });
  if (result.ok) {
    const { valid, errors, steps } = result.value;
    return ok({ ...(valid ? VALID : invalid(errors)), steps });
  }
  const { reason, message, pointer, schema_pointer } = result.refusal;
  if (reason === "too_complex") return refuse({ reason, message, schema_pointer });
  if (reason === "unresolved_reference") return refuse({ reason: "invalid_schema", message, schema_pointer });
  // What could not be checked must not count as valid.
  return ok(
    invalid([
      {
        pointer,
        keyword: "pattern_not_evaluated",
        schema_pointer,
        message,
        expected: "a value that needs no pattern which cannot be evaluated in linear time",
        got: "one that does",
      },
    ]),
  );
}
