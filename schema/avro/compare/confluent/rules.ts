/** The policy `strict`: the Confluent server's rules, which are those of Java Avro's SchemaCompatibility. */
import { only } from "../entry.ts";
import { missingDefault } from "../expand-records.ts";
import type { PolicyRules } from "../policy-rules.ts";

export const CONFLUENT_RULES: PolicyRules = {
  triesEveryBranch: true,
  severityOfLoss: () => "info",
  expandMissingField(field, readerStep, { reader, writer }) {
    if (field.defaultValue !== null) return null;
    if (field.type.kind === "enum" && field.type.defaultSymbol !== null) {
      // If the field's enum has a default, SchemaCompatibility compares the enum with the whole record.
      return only(field.type, writer, `${readerStep}/type`, "");
    }
    return missingDefault(field, reader, readerStep);
  },
};
