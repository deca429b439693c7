/** A schema as it was found: its text, its name, and its location in a file. */
import { FORMAT_NAMES, type FormatName, type ResolvedReference } from "../../schema/format.ts";
import { parseJsonText } from "../../schema/json-text.ts";
import { type UnwrappedSchema, unwrapSchemas } from "../../schema/projection/tool-schema-text.ts";
import type { Role } from "../../schema/rules/roles.ts";
import { UsageError } from "../usage-error.ts";
import { type Locate, locateInJson, locateInProtobuf } from "./locate.ts";
import { unwrapSchema } from "./unwrap.ts";

export type SchemaText = {
  /** For messages: a path, `git:main:order.avsc`, `orders@3`. */
  place: string;
  /** The source of the subject's name: the file's name without its extension, or the tool's name. */
  name: string;
  format: FormatName;
  text: string;
  role?: Role;
  /** Notes for the user: that the schema was unwrapped. */
  notes: readonly string[];
  /** Its references, if its source lists them. */
  references: readonly ResolvedReference[];
  locate: Locate;
  /** The tool definition that it was found in. */
  tool?: UnwrappedSchema;
};

/** A document as read: JSON text, and where its parts are. */
export type SourceText = {
  place: string;
  /** Determines the format and the name; empty for standard input. */
  path: string;
  text: string;
  /** Replaces the search in `text`, for documents that are not JSON themselves. */
  locate?: (base: string) => Locate;
};

const FORMAT_BY_ENDING: Readonly<Record<string, FormatName>> = {
  avsc: "avro",
  json: "json-schema",
  yaml: "json-schema",
  yml: "json-schema",
  proto: "protobuf",
};

export const SCHEMA_ENDINGS: ReadonlySet<string> = new Set(Object.keys(FORMAT_BY_ENDING));

export function findEnding(path: string): string {
  return path.slice(path.lastIndexOf(".") + 1).toLowerCase();
}

function nameOfPath(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1).replace(/(?:\.schema)?\.[^.]+$/, "");
}

/** The one schema of a document; `pointer` selects it where there are several. */
export function selectOneSchema(
  source: SourceText,
  pointer: string | undefined,
  format: FormatName | undefined,
): SchemaText {
  const known = chooseFormat(source, format);
  const own = { place: source.place, name: nameOfPath(source.path), format: known, notes: [], references: [] };
  if (known !== "json-schema") return { ...own, text: source.text, locate: locatorOf(source, known, "") };
  const { text, note, base } = unwrapSchema(source.place, source.text, pointer);
  const tool = pointer ? toolAt(source.text, pointer) : undefined;
  const notes = note === undefined ? [] : [note];
  return { ...own, text, notes, locate: locatorOf(source, known, base), ...(tool === undefined ? {} : { tool }) };
}

/** Every schema of a document: each tool of a list, or the document itself. */
export function findAllSchemas(source: SourceText, format: FormatName | undefined): SchemaText[] {
  const known = chooseFormat(source, format);
  const parsed = known === "json-schema" ? parseJsonText(source.text) : undefined;
  if (!parsed?.ok) return [selectOneSchema(source, undefined, format)];
  return unwrapSchemas(parsed.value.root, source.text).map((found) => {
    if (found.kind === null) return selectOneSchema(source, "", format);
    return {
      place: found.pointer === "" ? source.place : `${source.place}#${found.pointer}`,
      name: nameOfTool(found) ?? nameOfPath(source.path),
      format: known,
      text: found.text,
      role: chooseRole(found),
      notes: [],
      references: [],
      locate: locatorOf(source, known, found.pointer),
      tool: found,
    };
  });
}

function toolAt(text: string, pointer: string): UnwrappedSchema | undefined {
  const parsed = parseJsonText(text);
  const found = parsed.ok ? unwrapSchemas(parsed.value.root, text) : [];
  return found.find((schema) => schema.kind !== null && schema.pointer === pointer);
}

/** A tool's result has a subject separate from the tool's. */
function nameOfTool({ name, kind, purpose }: UnwrappedSchema): string | null {
  return name !== null && kind === "mcp-tool" && purpose === "output" ? `${name}.output` : name;
}

function chooseRole({ kind, purpose }: UnwrappedSchema): Role {
  if (purpose === "input") return "tool_input";
  return kind === "mcp-tool" ? "data" : "model_output";
}

function locatorOf(source: SourceText, format: FormatName, base: string): Locate {
  if (source.locate !== undefined) return source.locate(base);
  return format === "protobuf" ? locateInProtobuf(source.text) : locateInJson(source.text, base);
}

function chooseFormat({ place, path, text }: SourceText, given: FormatName | undefined): FormatName {
  const found = given ?? (path === "" ? sniffFormat(text) : FORMAT_BY_ENDING[findEnding(path)]);
  if (found) return found;
  throw new UsageError(`The format of ${place} is unknown; add --schema-format (${FORMAT_NAMES.join(", ")}).`);
}

/** Standard input has no ending: Protobuf is not JSON, and Avro names its records. */
function sniffFormat(text: string): FormatName | undefined {
  const parsed = parseJsonText(text);
  if (!parsed.ok)
    return /^\s*(?:\/\/|\/\*|syntax\b|edition\b|package\b|message\b|import\b)/.test(text) ? "protobuf" : undefined;
  const { root } = parsed.value;
  const type = root.type === "object" ? root.members.get("type") : undefined;
  const isAvro = type?.type === "string" && /^(?:record|enum|fixed|error|map)$/.test(type.value);
  return isAvro ? "avro" : "json-schema";
}
