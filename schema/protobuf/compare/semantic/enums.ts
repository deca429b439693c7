/** The losses when the values of one enum are read as another's. */
import type { Definition, Enum } from "../../model.ts";
import type { SemanticComparison } from "./comparison.ts";

export function compareSemanticEnums(
  comparison: SemanticComparison,
  writer: Definition<Enum>,
  reader: Definition<Enum>,
): void {
  const before = comparison.writer.enum(writer);
  const after = comparison.reader.enum(reader);
  const [wasOpen, isOpen] = [before.features.enum_type === "OPEN", after.features.enum_type === "OPEN"];
  if (wasOpen !== isOpen) {
    const what = `The enum "${writer.element.name}" is ${isOpen ? "open" : "closed"} in the reader only.`;
    comparison.add(isOpen ? "ENUM_OPENED" : "ENUM_CLOSED", after.pointer, before.pointer, what);
  }
  for (const [number, names] of before.names) {
    const place = `${before.pointer}/${number}`;
    comparison.work.spend(1, () => place);
    const match = after.names.get(number);
    const value = `value ${number} (${names.join(", ")}) of the enum "${writer.element.name}"`;
    const moved = names.find((name) => (after.numbers.get(name) ?? number) !== number);
    if (moved !== undefined && !names.some((name) => match?.includes(name))) {
      const what = `The ${value} has the number ${after.numbers.get(moved)} in the reader.`;
      comparison.add("ENUM_VALUE_RENUMBERED", `${after.pointer}/${after.numbers.get(moved)}`, place, what);
    } else if (match === undefined) {
      const kind = isOpen ? "ENUM_VALUE_UNKNOWN_TO_OPEN_ENUM" : "ENUM_VALUE_UNKNOWN_TO_CLOSED_ENUM";
      comparison.add(kind, null, place, `The reader has no ${value}.`);
    } else if (!names.every((name) => match.includes(name))) {
      const what = `The ${value} is called ${match.join(", ")} in the reader.`;
      comparison.add("ENUM_VALUE_RENAMED", `${after.pointer}/${number}`, place, what);
    }
  }
  for (const [number, names] of after.names) {
    if (before.names.has(number)) continue;
    comparison.work.spend(1, () => after.pointer);
    const what = `The value ${number} (${names.join(", ")}) of the enum "${reader.element.name}" is new.`;
    comparison.add("ENUM_VALUE_ADDED", `${after.pointer}/${number}`, null, what);
  }
}
