/** Checks extensions: what they extend, and that their numbers are reserved for extensions there. */

import {
  type Definition,
  type Extend,
  type Field,
  isMessageDefinition,
  joinName,
  MAX_FIELD_NUMBER,
  MAX_MESSAGE_SET_NUMBER,
  type Message,
  type Scope,
} from "../model.ts";
import { booleanOption } from "../options/plain.ts";
import { shown } from "../parse/tokens.ts";
import type { CheckContext } from "./context.ts";
import { checkDeclared } from "./declarations.ts";
import { checkField } from "./field.ts";
import { checkFieldNumber } from "./message.ts";

const OPTIONS = /^google\.protobuf\.[A-Za-z]+Options$/;

/** Checks the extend blocks of one scope; `parent` is the message around them, if any. */
export function checkExtends(
  context: CheckContext,
  scope: Scope,
  parent: Definition<Message> | null,
  extendBlocks: readonly Extend[],
): void {
  for (const extend of extendBlocks) {
    const extendee = context.type(scope, extend.extendee, extend.start);
    if (extend.fields.length === 0) {
      context.error("empty_extend", `The extend block of "${shown(extend.extendee)}" has no fields.`, extend.start);
    }
    if (extendee !== undefined && !isMessageDefinition(extendee)) {
      context.error("extendee", `"${shown(extend.extendee)}" is an enum, expected a message.`, extend.start);
      continue;
    }
    if (extendee !== undefined && context.file.edition === "proto3" && !OPTIONS.test(extendee.fullName)) {
      context.error("extendee", "proto3 extends only the messages of options.", extend.start);
    }
    for (const element of extend.fields) {
      const fullName = joinName(scope.fullName, element.name);
      const definition: Definition<Field> = { file: scope.file, fullName, element, parent, extend };
      if (extendee !== undefined) checkExtension(context, definition, extendee);
      const kind = checkField(context, definition);
      if (extendee !== undefined) checkDeclared(context, definition, extendee.element, kind);
    }
  }
}

function checkExtension(context: CheckContext, definition: Definition<Field>, extendee: Definition<Message>): void {
  const { element } = definition;
  const isMessageSet = booleanOption(extendee.element.options, "message_set_wire_format") === true;
  if (element.label === "required") {
    context.error("extension_label", `Extension "${shown(element.name)}" cannot be required.`, element.start);
  }
  if (isMessageSet && (element.label === "repeated" || element.type.kind === "scalar")) {
    const message = `Extension "${shown(element.name)}" of a message set must be an optional message.`;
    context.error("message_set", message, element.start);
  }
  if (!checkFieldNumber(context, element, isMessageSet ? MAX_MESSAGE_SET_NUMBER : MAX_FIELD_NUMBER)) return;
  const isDeclared = context.extensionRanges(extendee.element).has(element.number);
  if (!isDeclared) {
    const message = `"${shown(extendee.fullName)}" gives no extension number ${element.number}.`;
    context.error("extension_number", message, element.start);
  }
  const other = context
    .extensionsWith(extendee, element.number)
    .find((candidate) => candidate.file !== context.file || candidate.element.start < element.start);
  if (other !== undefined) {
    const message = `Extension "${shown(other.fullName)}" of "${shown(extendee.fullName)}" already has number ${element.number}.`;
    context.error("duplicate_number", message, element.start);
  }
}
