/**
 * Extension ranges may declare in advance which extensions they are for
 * (https://protobuf.dev/programming-guides/extension_declarations/).
 */

import type { Definition, ExtensionRanges, Field, Message, Option, OptionValue } from "../model.ts";
import { plainOption } from "../options/plain.ts";
import { shown } from "../parse/tokens.ts";
import type { CheckContext } from "./context.ts";

type Declaration = {
  number: number;
  fullName: string | undefined;
  type: string | undefined;
  isReserved: boolean;
  isRepeated: boolean;
  option: Option;
};

/** Checks the declarations of a message's extension ranges. */
export function checkDeclarations(context: CheckContext, message: Message): void {
  for (const statement of message.extensionRanges) {
    const seen = new Set<number>();
    const verification = plainOption(statement.options, "verification")?.value;
    for (const declaration of declarationsOf(statement)) {
      const { number, fullName, type, isReserved, option } = declaration;
      const refuse = (problem: string) => context.error("extension_declaration", problem, option.start);
      if (verification?.kind === "identifier" && verification.name === "UNVERIFIED") {
        refuse("A range that is not verified declares nothing.");
      }
      if (!statement.ranges.some(({ from, to }) => number >= from && number <= to)) {
        refuse(`Number ${number} is not in the range that declares it.`);
      }
      if (seen.has(number)) refuse(`Number ${number} is declared twice.`);
      seen.add(number);
      if ((fullName === undefined) !== (type === undefined) || (fullName === undefined && !isReserved)) {
        refuse(`The declaration of number ${number} needs both full_name and type.`);
      }
      if (fullName !== undefined && !fullName.startsWith(".")) {
        refuse(`full_name "${shown(fullName)}" must start with a dot.`);
      }
    }
  }
}

/** Checks an extension against its message's declaration for the number; `typeName` is absolute or a scalar's name. */
export function checkDeclared(
  context: CheckContext,
  definition: Definition<Field>,
  extendee: Message,
  typeName: string | undefined,
): void {
  const { element, fullName } = definition;
  const declared = context.extensionDeclarations(extendee, declarationsByNumber).get(element.number);
  if (declared === undefined) return;
  const refuse = (problem: string) => context.error("extension_declaration", problem, element.start);
  if (declared.isReserved) refuse(`Extension number ${element.number} is declared reserved.`);
  else if (declared.fullName !== `.${fullName}`) {
    refuse(`Extension number ${element.number} is declared for "${shown(declared.fullName ?? "")}".`);
  } else if (typeName !== undefined && declared.type !== typeName) {
    refuse(`Extension "${shown(fullName)}" is declared with type "${shown(declared.type ?? "")}".`);
  } else if (declared.isRepeated !== (element.label === "repeated")) {
    refuse(`Extension "${shown(fullName)}" is declared ${declared.isRepeated ? "repeated" : "singular"}.`);
  }
}

export type DeclarationsByNumber = ReadonlyMap<number, Declaration>;

function declarationsByNumber(message: Message): DeclarationsByNumber {
  return new Map(
    message.extensionRanges.flatMap(declarationsOf).map((declaration) => [declaration.number, declaration]),
  );
}

function declarationsOf({ options }: ExtensionRanges): Declaration[] {
  return options.flatMap((option) => {
    const { name, value } = option;
    if (name.length !== 1 || name[0]!.isExtension || name[0]!.name !== "declaration" || value.kind !== "message") {
      return [];
    }
    const fields = new Map<string, OptionValue>();
    for (const field of value.fields) if (field.name.kind === "field") fields.set(field.name.name, field.value);
    const string = (key: string) => {
      const found = fields.get(key);
      return found?.kind === "string" ? found.value : undefined;
    };
    const isTrue = (key: string) => {
      const found = fields.get(key);
      return found?.kind === "identifier" && found.name.toLowerCase().startsWith("t");
    };
    const number = fields.get("number");
    return [
      {
        number: number?.kind === "integer" ? Number(number.value) : 0,
        fullName: string("full_name"),
        type: string("type"),
        isReserved: isTrue("reserved"),
        isRepeated: isTrue("repeated"),
        option,
      },
    ];
  });
}
