/** Finds the loss of meaning, by the table in losses.ts, when one type is read as another. */
import { describeLogicalType, type LogicalType } from "../../logical-type.ts";
import { type AvroType, logicalTypeOf } from "../../model.ts";
import {
  DECIMAL_PRECISION_REDUCED,
  DECIMAL_SCALE_CHANGED,
  LOGICAL_TYPE_ADDED,
  LOGICAL_TYPE_CHANGED,
  LOGICAL_TYPE_REMOVED,
  LOSSY_PROMOTIONS,
  type Loss,
} from "./losses.ts";

/** The loss when `reader` reads what `writer` wrote, their parts aside, or null. Neither is a union. */
export function describeLoss(reader: AvroType, writer: AvroType): Loss | null {
  if (reader.kind !== writer.kind) {
    const promotion = LOSSY_PROMOTIONS[`${writer.kind}>${reader.kind}`];
    if (promotion !== undefined) return promotion;
  }
  const readerLogical = logicalTypeOf(reader);
  const writerLogical = logicalTypeOf(writer);
  if (readerLogical === null && writerLogical === null) return null;
  if (readerLogical === null) return removed(writerLogical!);
  if (writerLogical === null) return added(readerLogical);
  if (readerLogical.name === "decimal" && writerLogical.name === "decimal") {
    return describeDecimalLoss(readerLogical, writerLogical);
  }
  if (readerLogical.name === writerLogical.name) return null;
  return {
    ...LOGICAL_TYPE_CHANGED,
    message: `The writer's ${describeLogicalType(writerLogical)} is read as ${describeLogicalType(readerLogical)}: the same bytes mean something else.`,
  };
}

type Decimal = Extract<LogicalType, { name: "decimal" }>;

function describeDecimalLoss(reader: Decimal, writer: Decimal): Loss | null {
  const change = `The writer's ${describeLogicalType(writer)} is read as ${describeLogicalType(reader)}`;
  if (reader.scale !== writer.scale) {
    return { ...DECIMAL_SCALE_CHANGED, message: `${change}: the decimal point moves.` };
  }
  if (reader.precision < writer.precision) {
    return {
      ...DECIMAL_PRECISION_REDUCED,
      message: `${change}: numbers of more than ${reader.precision} digits do not fit.`,
    };
  }
  return null;
}

function added(logicalType: LogicalType): Loss {
  const name = describeLogicalType(logicalType);
  return {
    kind: "LOGICAL_TYPE_ADDED",
    severity: LOGICAL_TYPE_ADDED[logicalType.name] ?? LOGICAL_TYPE_ADDED.other,
    message: `The reader takes for ${name} what the writer does not say to be one.`,
    fix: `Leave the logical type ${name} out of the reader, or add a new field for it.`,
  };
}

function removed(logicalType: LogicalType): Loss {
  const name = describeLogicalType(logicalType);
  return {
    kind: "LOGICAL_TYPE_REMOVED",
    severity: LOGICAL_TYPE_REMOVED[logicalType.name] ?? LOGICAL_TYPE_REMOVED.other,
    message: `The writer's ${name} reaches the reader as a bare value.`,
    fix: `Keep the logical type ${name} in the reader.`,
  };
}
