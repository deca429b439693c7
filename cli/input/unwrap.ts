/** Finds the schema inside a tool definition or an OpenAPI document, which is what users' files often contain. */
import { type JsonNode, nodeAtPointer, parseJsonText, writeJsonString, writeJsonText } from "../../schema/json-text.ts";
import {
  describeToolDefinition,
  findToolDefinition,
  type SchemaInside,
  type ToolDefinition,
} from "../../schema/tool-definition.ts";
import { UsageError } from "../usage-error.ts";

/** Locations that an error lists. */
const MAX_LISTED_PLACES = 20;

/** `base`: where in the document the schema is. */
type Unwrapped = { text: string; base: string; note?: string };

/** `FILE#/pointer` selects a schema inside a file. */
export function splitPlace(file: string): { path: string; pointer: string | undefined } {
  const at = file.lastIndexOf("#/");
  return at === -1 ? { path: file, pointer: undefined } : { path: file.slice(0, at), pointer: file.slice(at + 1) };
}

/** The text to compare: the file's own, unless the file wraps a schema or a pointer selects one. */
export function unwrapSchema(path: string, text: string, pointer: string | undefined): Unwrapped {
  const parsed = parseJsonText(text);
  // The schema parser reports errors in the text.
  if (!parsed.ok) return { text, base: "" };
  const { root } = parsed.value;
  const tool = findToolDefinition(root);
  if (pointer !== undefined) {
    const node = nodeAtPointer(root, pointer);
    if (node === undefined) throw new UsageError(`${path} has nothing at ${pointer}.`);
    return { text: pointer === "" ? text : textOf(root, { pointer, node }, tool), base: pointer };
  }
  if (tool === undefined) return { text, base: "" };
  const [first] = tool.schemas;
  if (first === undefined) throw new UsageError(`${path}: ${describeToolDefinition(tool)}`);
  const isOne = tool.schemas.every(({ name }) => name === first.name);
  if (!isOne) throw new UsageError(whichOf(path, tool));
  const others = tool.schemas.slice(1).map(({ pointer: other }) => `${path}#${other}`);
  const rest = others.length === 0 ? "" : ` To compare another one, pass it instead: ${others.join(", ")}.`;
  const note = `${path}: ${describeToolDefinition(tool).split(". ")[0]}. The schema at ${first.pointer} is compared.${rest}`;
  return { text: textOf(root, first, tool), base: tool.kind === "openapi" ? "" : first.pointer, note };
}

/** Schemas of an OpenAPI document reference each other from its root, so the document is kept around the selected one. */
function textOf(
  root: JsonNode,
  { pointer, node }: Pick<SchemaInside, "pointer" | "node">,
  tool: ToolDefinition | undefined,
) {
  if (tool?.kind !== "openapi" || root.type !== "object") return writeJsonText(node);
  const rest = [...root.members].map(([key, value]) => `${writeJsonString(key)}:${writeJsonText(value)}`);
  return `{"$ref":${JSON.stringify(`#${encodeURI(pointer)}`)},${rest.join(",")}}`;
}

function whichOf(path: string, tool: ToolDefinition): string {
  const places = tool.schemas
    .slice(0, MAX_LISTED_PLACES)
    .map(({ name, pointer }) => `  ${path}#${pointer}${name === undefined ? "" : `  (${name})`}`);
  const more = tool.schemas.length > MAX_LISTED_PLACES ? `\n  and ${tool.schemas.length - MAX_LISTED_PLACES} more` : "";
  return `${path} contains several schemas; select one of them:\n${places.join("\n")}${more}`;
}
