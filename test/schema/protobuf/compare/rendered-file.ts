/** A generated file as text. */
import {
  allMessages,
  type GenEnum,
  type GenField,
  type GenFile,
  type GenMessage,
  type GenRpc,
  type Syntax,
  WELL_KNOWN,
} from "./generated-model.ts";

/** The file as text. */
export function renderFile(file: GenFile): string {
  const lines = [
    file.syntax.startsWith("proto") ? `syntax = "${file.syntax}";` : `edition = "${file.syntax}";`,
    `package ${file.package};`,
    ...importsOf(file).map((path) => `import "${path}";`),
    ...Object.entries(file.options).map(([name, value]) => `option ${name} = ${value};`),
    ...file.enums.flatMap((target) => renderEnum(target, file.syntax)),
    ...file.messages.flatMap((message) => renderMessage(message, file.syntax)),
    ...file.extends.flatMap(({ extendee, field }) => [`extend ${extendee} {`, renderField(field), "}"]),
    ...file.services.flatMap(({ name, rpcs }) => [`service ${name} {`, ...rpcs.map(renderRpc), "}"]),
  ];
  return `${lines.join("\n")}\n`;
}

function importsOf(file: GenFile): string[] {
  const types = allMessages(file).flatMap(({ fields }) => fields.map(({ type }) => WELL_KNOWN[type]));
  return [...new Set(types.filter((path) => path !== undefined))];
}

function renderRpc({ name, input, output, options }: GenRpc): string {
  const body = Object.entries(options).map(([option, value]) => `option ${option} = ${value};`);
  return `rpc ${name}(${input}) returns (${output}) { ${body.join(" ")} }`;
}

function renderEnum({ name, values, reserved, closed }: GenEnum, syntax: Syntax): string[] {
  const hasAliases = new Set(values.map(({ number }) => number)).size < values.length;
  return [
    `enum ${name} {`,
    ...(hasAliases ? ["option allow_alias = true;"] : []),
    ...(closed ? ["option features.enum_type = CLOSED;"] : []),
    ...values.map((value) => `${value.name} = ${value.number};`),
    ...renderReserved(reserved, syntax),
    "}",
  ];
}

/** Editions reserve names as identifiers, the older syntaxes as strings. */
function renderReserved(reserved: readonly string[], syntax: Syntax): string[] {
  return reserved.map((entry) => `reserved ${syntax === "2023" ? entry.replaceAll('"', "") : entry};`);
}

function renderMessage(message: GenMessage, syntax: Syntax): string[] {
  const oneofs = [...new Set(message.fields.flatMap(({ oneof }) => (oneof === null ? [] : [oneof])))];
  return [
    `message ${message.name} {`,
    ...Object.entries(message.options).map(([name, value]) => `option ${name} = ${value};`),
    ...message.enums.flatMap((target) => renderEnum(target, syntax)),
    ...message.messages.flatMap((nested) => renderMessage(nested, syntax)),
    ...message.fields.filter(({ oneof }) => oneof === null).map(renderField),
    ...oneofs.flatMap((name) => [
      `oneof ${name} {`,
      ...message.fields.filter(({ oneof }) => oneof === name).map(renderField),
      "}",
    ]),
    ...renderReserved(message.reserved, syntax),
    ...message.extensions.map((range) => `extensions ${range};`),
    "}",
  ];
}

function renderField({ label, type, name, number, options }: GenField): string {
  const listed = Object.entries(options).map(([option, value]) => `${option} = ${value}`);
  return `${label} ${type} ${name} = ${number}${listed.length > 0 ? ` [${listed.join(", ")}]` : ""};`;
}
