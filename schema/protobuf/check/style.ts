/** The naming style that edition 2024 enforces unless a feature turns it off (https://protobuf.dev/programming-guides/style/). */

import type { DefinedElement, Definition } from "../model.ts";
import { fileFeatures, resolveFeatures, usesEditions } from "../options/editions.ts";
import { shown } from "../parse/tokens.ts";
import type { CheckContext } from "./context.ts";

const PASCAL = { pattern: /^[A-Z][A-Za-z0-9]*$/, name: "PascalCase" };
const LOWER_SNAKE = { pattern: /^[a-z][a-z0-9]*(?:_[a-z][a-z0-9]*)*$/, name: "lower_snake_case" };
const UPPER_SNAKE = { pattern: /^[A-Z][A-Z0-9]*(?:_[A-Z][A-Z0-9]*)*$/, name: "UPPER_SNAKE_CASE" };

const STYLES: Readonly<Record<DefinedElement["kind"], typeof PASCAL>> = {
  message: PASCAL,
  enum: PASCAL,
  service: PASCAL,
  method: PASCAL,
  field: LOWER_SNAKE,
  oneof: LOWER_SNAKE,
  enum_value: UPPER_SNAKE,
};

export function checkStyle(context: CheckContext): void {
  const { file, model } = context;
  if (!usesEditions(file)) return;
  const enforces = (style: string) => style !== "STYLE_LEGACY";
  if (enforces(fileFeatures(file).enforce_naming_style) && file.package !== "") {
    if (!file.package.split(".").every((part) => LOWER_SNAKE.pattern.test(part))) {
      context.error("naming_style", `Package "${shown(file.package)}" must be ${LOWER_SNAKE.name}.`, 0);
    }
  }
  for (const definition of model.definitions.values()) {
    if (definition.file !== file || isInMapEntry(definition)) continue;
    const { element } = definition;
    const { pattern, name } = STYLES[element.kind];
    if (pattern.test(element.name) || !enforces(resolveFeatures(definition).enforce_naming_style)) continue;
    const kind = element.kind.replace("_", " ");
    context.error("naming_style", `The name of ${kind} "${shown(element.name)}" must be ${name}.`, element.start);
  }
}

function isInMapEntry({ element, parent }: Definition): boolean {
  const message = element.kind === "message" ? element : parent?.element;
  return message?.kind === "message" && message.synthetic === "map_entry";
}
