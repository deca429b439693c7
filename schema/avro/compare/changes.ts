/** Compatible changes, reported because the suggested version number depends on them. */
import {
  type AvroField,
  type AvroNamedType,
  type AvroProperties,
  type AvroType,
  findLogicalType,
  isNamed,
  typeName,
} from "../model.ts";
import { shorten } from "../names.ts";
import type { AttributeTexts } from "./attribute-texts.ts";
import { here, type LocalDifference } from "./entry.ts";
import type { CompareContext } from "./policy-rules.ts";
import { LOSSY_PROMOTIONS, makeLoss } from "./semantic/losses.ts";

/** The attributes of a logical type; changes to them are reported as changes of the logical type. */
const LOGICAL_TYPE_ATTRIBUTES = ["logicalType", "precision", "scale"];

const MAX_LISTED = 5;

/** The compatible changes between two types, excluding their parts. */
export function* describeChanges(
  reader: AvroType,
  writer: AvroType,
  context: CompareContext,
): Generator<LocalDifference> {
  if (reader === writer) return;
  if (isNamed(reader) && isNamed(writer)) yield* describeNamedChanges(reader, writer, context);
  if (reader.kind === "union") yield* describeBranches(reader.branches, writer);
  else if (
    reader.kind !== writer.kind &&
    writer.kind !== "union" &&
    !(`${writer.kind}>${reader.kind}` in LOSSY_PROMOTIONS)
  ) {
    yield here("TYPE_PROMOTED", "info", `The reader takes the writer's ${writer.kind} as ${reader.kind}, exactly.`);
  }
  if ("properties" in reader && "properties" in writer) {
    const ignored = (findLogicalType(reader) ?? findLogicalType(writer)) ? LOGICAL_TYPE_ATTRIBUTES : [];
    const names = changedProperties(reader.properties, writer.properties, ignored, context.texts);
    if (names !== null)
      yield here("PROPERTIES_CHANGED", "info", `Reader and writer differ in the properties ${names}.`);
  }
}

/** The compatible changes between a reader's field and the matching writer's field, excluding their types. */
export function* describeFieldChanges(
  reader: AvroField,
  writer: AvroField,
  readerStep: string,
  writerStep: string,
  texts: AttributeTexts,
): Generator<LocalDifference> {
  const at = (step: string) =>
    ({ severity: "info", readerStep: readerStep + step, writerStep: writerStep + step }) as const;
  const field = `Field "${shorten(reader.name)}"`;
  if (reader.name !== writer.name) {
    const message = `The reader's field "${shorten(reader.name)}" reads the writer's "${shorten(writer.name)}" by an alias.`;
    yield { kind: "FIELD_RENAMED", message, ...at("/name") };
  }
  if (!texts.sameText(reader.documentation, writer.documentation)) {
    yield {
      kind: "DOCUMENTATION_CHANGED",
      message: `${field} is documented differently in reader and writer.`,
      ...at("/doc"),
    };
  }
  if (!texts.sameValue(reader.defaultValue, writer.defaultValue)) {
    yield {
      kind: "DEFAULT_CHANGED",
      message: `${field} has another default in the reader than in the writer.`,
      ...at("/default"),
    };
  }
  if (reader.order !== writer.order) {
    yield {
      kind: "ORDER_CHANGED",
      message: `${field} sorts ${reader.order} in the reader, ${writer.order} in the writer.`,
      ...at("/order"),
    };
  }
  if (!texts.sameNames(reader.aliases, writer.aliases)) {
    yield {
      kind: "ALIASES_CHANGED",
      message: `${field} has other aliases in the reader than in the writer.`,
      ...at("/aliases"),
    };
  }
  const names = changedProperties(reader.properties, writer.properties, [], texts);
  if (names !== null) {
    yield { kind: "PROPERTIES_CHANGED", message: `Reader and writer differ in the properties ${names}.`, ...at("") };
  }
}

function* describeNamedChanges(
  reader: AvroNamedType,
  writer: AvroNamedType,
  { texts, rules }: CompareContext,
): Generator<LocalDifference> {
  const name = shorten(reader.name.full);
  if (reader.name.full !== writer.name.full) {
    const written = shorten(writer.name.full);
    if (reader.aliases.includes(writer.name.full)) {
      yield here("RENAMED", "info", `The reader's ${name} reads the writer's ${written} by an alias.`, "/name");
    } else if (reader.name.simple === writer.name.simple) {
      const message = `The reader's ${name} is ${written} in the writer; some implementations match full names only.`;
      const loss = makeLoss("NAMESPACE_CHANGED", message);
      yield { ...loss, severity: rules.severityOfLoss(loss.severity), readerStep: "/name", writerStep: "/name" };
    }
  }
  if (!texts.sameText(reader.documentation, writer.documentation)) {
    yield here("DOCUMENTATION_CHANGED", "info", `${name} is documented differently in reader and writer.`, "/doc");
  }
  if (!texts.sameNames(reader.aliases, writer.aliases)) {
    yield here("ALIASES_CHANGED", "info", `${name} has other aliases in the reader than in the writer.`, "/aliases");
  }
  if (reader.kind !== "enum" || writer.kind !== "enum") return;
  const added = reader.symbols.filter((symbol) => !writer.ordinals.has(symbol)).length;
  if (added > 0) {
    const more = `${added} ${added === 1 ? "symbol" : "symbols"}`;
    yield here(
      "ENUM_SYMBOLS_ADDED",
      "info",
      `The reader's enum ${name} has ${more} more than the writer's.`,
      "/symbols",
    );
  }
  if (reader.defaultSymbol !== writer.defaultSymbol) {
    yield here(
      "DEFAULT_CHANGED",
      "info",
      `Enum ${name} has another default in the reader than in the writer.`,
      "/default",
    );
  }
}

function* describeBranches(branches: readonly AvroType[], writer: AvroType): Generator<LocalDifference> {
  const written = new Set((writer.kind === "union" ? writer.branches : [writer]).map(typeName));
  const added = branches.filter((branch) => !written.has(typeName(branch)));
  if (added.length === 0) return;
  const names = added.slice(0, MAX_LISTED).map((branch) => shorten(typeName(branch)));
  const rest = added.length > MAX_LISTED ? " and more" : "";
  yield here("UNION_BRANCHES_ADDED", "info", `The reader also takes ${names.join(", ")}${rest}.`);
}

/** The names of the first few properties that differ, or null if none do. */
function changedProperties(
  reader: AvroProperties,
  writer: AvroProperties,
  ignored: readonly string[],
  texts: AttributeTexts,
): string | null {
  if (reader === writer) return null;
  const changed = [...new Set([...reader.keys(), ...writer.keys()])].filter(
    (key) => !ignored.includes(key) && !texts.sameValue(reader.get(key) ?? null, writer.get(key) ?? null),
  );
  return changed.length === 0 ? null : changed.slice(0, MAX_LISTED).map(shorten).join(", ");
}
