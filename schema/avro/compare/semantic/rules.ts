/** The policy `semantic`: schema resolution by the specification, without loss of meaning. */
import { shorten } from "../../names.ts";
import { missingDefault } from "../expand-records.ts";
import type { PolicyRules } from "../policy-rules.ts";

export const SEMANTIC_RULES: PolicyRules = {
  triesEveryBranch: false,
  severityOfLoss: (severity) => severity,
  expandMissingField(field, readerStep, { reader }, context) {
    if (field.defaultValue === null) return missingDefault(field, reader, readerStep);
    const isUsable = context.defaults.find(field.type, field.defaultValue, "") === null;
    if (context.defaults.isExhausted) context.spend(Number.POSITIVE_INFINITY);
    if (isUsable) return null;
    return {
      kind: "READER_FIELD_MISSING_DEFAULT_VALUE",
      severity: "breaking",
      message: `Field "${shorten(field.name)}" of the reader's ${shorten(reader.name.full)} has a default that does not fit its type, and the writer has no such field.`,
      fix: `Give "${shorten(field.name)}" a default of its type in the reader.`,
      readerStep,
      writerStep: null,
    };
  },
};
