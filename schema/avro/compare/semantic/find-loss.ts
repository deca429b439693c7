/** Finds the loss of meaning when one type is read as another, according to losses.ts. */
import { describeLogicalType, type LogicalType, type LogicalTypeName } from "../../logical-type.ts";
import { type AvroType, findLogicalType } from "../../model.ts";
import { LOGICAL_TYPE_ADDED, LOGICAL_TYPE_REMOVED, LOSSY_PROMOTIONS, type Loss, makeLoss } from "./losses.ts";

/** The loss when `reader` reads data of `writer`, excluding their parts, or null. Neither may be a union. */
export function findLoss(reader: AvroType, writer: AvroType): Loss | null {
  if (reader.kind !== writer.kind) {
    const promotion = LOSSY_PROMOTIONS[`${writer.kind}>${reader.kind}`];
    if (promotion !== undefined) return promotion;
  }
  const readerLogical = findLogicalType(reader);
  const writerLogical = findLogicalType(writer);
  if (readerLogical === null && writerLogical === null) return null;
  if (readerLogical === null) return removed(writerLogical!, writer.kind);
  if (writerLogical === null) return added(readerLogical, reader.kind);
  if (readerLogical.name === "decimal" && writerLogical.name === "decimal") {
    return describeDecimalLoss(readerLogical, writerLogical);
  }
  if (readerLogical.name === writerLogical.name) return null;
  return makeLoss(
    "LOGICAL_TYPE_CHANGED",
    `The writer's ${describeLogicalType(writerLogical)} is read as ${describeLogicalType(readerLogical)}: the same bytes mean something else.`,
  );
}

type Decimal = Extract<LogicalType, { name: "decimal" }>;

function describeDecimalLoss(reader: Decimal, writer: Decimal): Loss | null {
  const change = `The writer's ${describeLogicalType(writer)} is read as ${describeLogicalType(reader)}`;
  if (reader.scale !== writer.scale) return makeLoss("DECIMAL_SCALE_CHANGED", `${change}: the decimal point moves.`);
  if (reader.precision >= writer.precision) return null;
  return makeLoss(
    "DECIMAL_PRECISION_REDUCED",
    `${change}: numbers of more than ${reader.precision} digits do not fit.`,
  );
}

function added(logicalType: LogicalType, carrier: AvroType["kind"]): Loss {
  const name = describeLogicalType(logicalType);
  return {
    kind: "LOGICAL_TYPE_ADDED",
    severity: LOGICAL_TYPE_ADDED[rowOf(logicalType, carrier)] ?? LOGICAL_TYPE_ADDED.other,
    message: `The writer declares no logical type; the reader interprets its values as ${name}.`,
    fix: `Leave the logical type ${name} out of the reader, or add a new field for it.`,
  };
}

function removed(logicalType: LogicalType, carrier: AvroType["kind"]): Loss {
  const name = describeLogicalType(logicalType);
  return {
    kind: "LOGICAL_TYPE_REMOVED",
    severity: LOGICAL_TYPE_REMOVED[rowOf(logicalType, carrier)] ?? LOGICAL_TYPE_REMOVED.other,
    message: `The writer's ${name} is read as a plain value without its logical type.`,
    fix: `Keep the logical type ${name} in the reader.`,
  };
}

/** A UUID on string is stricter than string; on fixed, any 16 bytes are a UUID, so the general row applies. */
function rowOf({ name }: LogicalType, carrier: AvroType["kind"]): LogicalTypeName | "other" {
  return name === "uuid" && carrier === "fixed" ? "other" : name;
}
