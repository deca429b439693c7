/** Changes that stop nobody from reading. They are told because a version number is suggested from them. */
import type { Severity } from "../../compatibility.ts";
import { compareCodeUnits } from "../../json-text.ts";
import {
  type AvroField,
  type AvroNamedType,
  type AvroProperties,
  type AvroType,
  isNamed,
  logicalTypeOf,
  typeName,
} from "../model.ts";
import { shorten } from "../names.ts";
import { writeValue } from "../text/canonical.ts";
import type { LocalDifference } from "./expand-pair.ts";
import { LOSSY_PROMOTIONS, NAMESPACE_CHANGED } from "./semantic/losses.ts";

/** The attributes of a logical type: differences of theirs are told as differences of the logical type. */
const LOGICAL_TYPE_ATTRIBUTES = ["logicalType", "precision", "scale"];

type Changes = { push(change: LocalDifference): void };

/** Adds the harmless changes between two types, those of their parts aside. */
export function describeChanges(
  reader: AvroType,
  writer: AvroType,
  namespaceSeverity: Severity,
  changes: Changes,
): void {
  if (reader === writer) return;
  if (isNamed(reader) && isNamed(writer)) describeNamedChanges(reader, writer, namespaceSeverity, changes);
  if (reader.kind === "union") describeBranches(reader.branches, writer, changes);
  if (reader.kind !== writer.kind && !(`${writer.kind}>${reader.kind}` in LOSSY_PROMOTIONS)) {
    if (reader.kind !== "union" && writer.kind !== "union") {
      changes.push(info("TYPE_PROMOTED", `The reader takes the writer's ${writer.kind} as ${reader.kind}, exactly.`));
    }
  }
  if ("properties" in reader && "properties" in writer) {
    const ignored = (logicalTypeOf(reader) ?? logicalTypeOf(writer)) ? LOGICAL_TYPE_ATTRIBUTES : [];
    describeProperties(reader.properties, writer.properties, ignored, "", "", changes);
  }
}

/** Adds the harmless changes between a reader's field and the writer's field that it reads, those of their types aside. */
export function describeFieldChanges(
  reader: AvroField,
  writer: AvroField,
  readerStep: string,
  writerStep: string,
  changes: Changes,
): void {
  const tell = (kind: string, message: string, step: string) =>
    changes.push(info(kind, message, readerStep + step, writerStep + step));
  if (reader.name !== writer.name) {
    tell(
      "FIELD_RENAMED",
      `The reader's field "${shorten(reader.name)}" reads the writer's "${shorten(writer.name)}" by an alias.`,
      "/name",
    );
  }
  if (reader.documentation !== writer.documentation) {
    tell(
      "DOCUMENTATION_CHANGED",
      `Field "${shorten(reader.name)}" is documented differently in reader and writer.`,
      "/doc",
    );
  }
  if (!sameDefault(reader, writer)) {
    tell(
      "DEFAULT_CHANGED",
      `Field "${shorten(reader.name)}" has another default in the reader than in the writer.`,
      "/default",
    );
  }
  if (reader.order !== writer.order) {
    tell(
      "ORDER_CHANGED",
      `Field "${shorten(reader.name)}" sorts ${reader.order} in the reader, ${writer.order} in the writer.`,
      "/order",
    );
  }
  if (!sameNames(reader.aliases, writer.aliases)) {
    tell(
      "ALIASES_CHANGED",
      `Field "${shorten(reader.name)}" has other aliases in the reader than in the writer.`,
      "/aliases",
    );
  }
  describeProperties(reader.properties, writer.properties, [], readerStep, writerStep, changes);
}

export function info(
  kind: string,
  message: string,
  readerStep: string | null = "",
  writerStep: string | null = "",
): LocalDifference {
  return { kind, severity: "info", message, readerStep, writerStep };
}

function describeNamedChanges(
  reader: AvroNamedType,
  writer: AvroNamedType,
  namespaceSeverity: Severity,
  changes: Changes,
): void {
  const name = shorten(reader.name.full);
  if (reader.name.full !== writer.name.full) {
    if (reader.aliases.includes(writer.name.full)) {
      changes.push(
        info(
          "RENAMED",
          `The reader's ${name} reads the writer's ${shorten(writer.name.full)} by an alias.`,
          "/name",
          "/name",
        ),
      );
    } else if (reader.name.simple === writer.name.simple) {
      const message = `The reader's ${name} is ${shorten(writer.name.full)} in the writer; some implementations match full names only.`;
      changes.push({
        ...NAMESPACE_CHANGED,
        severity: namespaceSeverity,
        message,
        readerStep: "/name",
        writerStep: "/name",
      });
    }
  }
  if (reader.documentation !== writer.documentation) {
    changes.push(
      info("DOCUMENTATION_CHANGED", `${name} is documented differently in reader and writer.`, "/doc", "/doc"),
    );
  }
  if (!sameNames(reader.aliases, writer.aliases)) {
    changes.push(
      info("ALIASES_CHANGED", `${name} has other aliases in the reader than in the writer.`, "/aliases", "/aliases"),
    );
  }
  if (reader.kind !== "enum" || writer.kind !== "enum") return;
  const added = reader.symbols.filter((symbol) => !writer.ordinals.has(symbol)).length;
  if (added > 0) {
    changes.push(
      info(
        "ENUM_SYMBOLS_ADDED",
        `The reader's enum ${name} has ${added} symbols more than the writer's.`,
        "/symbols",
        "/symbols",
      ),
    );
  }
  if (reader.defaultSymbol !== writer.defaultSymbol) {
    changes.push(
      info(
        "DEFAULT_CHANGED",
        `Enum ${name} has another default in the reader than in the writer.`,
        "/default",
        "/default",
      ),
    );
  }
}

function describeBranches(branches: readonly AvroType[], writer: AvroType, changes: Changes): void {
  const written = new Set((writer.kind === "union" ? writer.branches : [writer]).map(typeName));
  const added = branches.filter((branch) => !written.has(typeName(branch)));
  if (added.length === 0) return;
  const names = added
    .slice(0, 5)
    .map((branch) => shorten(typeName(branch)))
    .join(", ");
  changes.push(info("UNION_BRANCHES_ADDED", `The reader also takes ${names}${added.length > 5 ? " and more" : ""}.`));
}

function describeProperties(
  reader: AvroProperties,
  writer: AvroProperties,
  ignored: readonly string[],
  readerStep: string,
  writerStep: string,
  changes: Changes,
): void {
  if (reader === writer) return;
  const changed = [...new Set([...reader.keys(), ...writer.keys()])].filter((key) => {
    if (ignored.includes(key)) return false;
    const ours = reader.get(key);
    const theirs = writer.get(key);
    return ours === undefined || theirs === undefined || writeValue(ours, true) !== writeValue(theirs, true);
  });
  if (changed.length === 0) return;
  const names = changed.slice(0, 5).map(shorten).join(", ");
  changes.push(
    info("PROPERTIES_CHANGED", `Reader and writer differ in the properties ${names}.`, readerStep, writerStep),
  );
}

function sameNames(a: readonly string[], b: readonly string[]): boolean {
  if (a.length !== b.length) return false;
  if (a.length === 0) return true;
  return a.toSorted(compareCodeUnits).join(" ") === b.toSorted(compareCodeUnits).join(" ");
}

function sameDefault({ defaultValue: reader }: AvroField, { defaultValue: writer }: AvroField): boolean {
  if (reader === null || writer === null) return reader === writer;
  return (
    reader.type === writer.type && (reader.type === "null" || writeValue(reader, true) === writeValue(writer, true))
  );
}
