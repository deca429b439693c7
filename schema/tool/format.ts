/** Tools that models call, behind the interface that all formats share. */
import { ANY_VALUE, artefactFormat, partAt } from "../artefact.ts";
import type { SchemaFormat, SchemaProblem } from "../format.ts";
import type { JsonNode, JsonObject } from "../json-text.ts";
import { compareTools, witnessOfTool } from "./compare.ts";
import { INPUT_NAMES, OUTPUT_NAMES, TOOL_INPUT, TOOL_OUTPUT, type ToolFields, type ToolModel } from "./model.ts";
import { planForTool } from "./plan.ts";
import { TOOL_SHAPE } from "./shape.ts";

export const tool: SchemaFormat<ToolModel> = artefactFormat<ToolFields>({
  name: "tool",
  codeVersion: 2,
  shape: TOOL_SHAPE,
  partsOf: (root) => [
    partAt(root, TOOL_INPUT, INPUT_NAMES, ANY_VALUE),
    partAt(root, TOOL_OUTPUT, OUTPUT_NAMES, ANY_VALUE),
  ],
  readOwn: (root) => ({ own: fieldsOf(root), problems: [], warnings: invisibleCharacters(root) }),
  compareOwn: compareTools,
  witnessOwn: witnessOfTool,
  datumOf: ({ own: { name } }, part, value) =>
    part === "input" ? { name, arguments: value } : { name, structuredContent: value },
  plan: planForTool,
});

function fieldsOf(root: JsonObject): ToolFields {
  const text = (node: JsonNode | undefined) => (node?.type === "string" ? node.value : null);
  const annotations = root.members.get("annotations");
  const hint = (name: string, fallback: boolean) => {
    const node = annotations?.type === "object" ? annotations.members.get(name) : undefined;
    return node?.type === "boolean" ? node.value : fallback;
  };
  const readOnly = hint("readOnlyHint", false);
  const titleHint = annotations?.type === "object" ? annotations.members.get("title") : undefined;
  return {
    name: text(root.members.get("name"))!,
    title: text(root.members.get("title")) ?? text(titleHint),
    description: text(root.members.get("description")),
    hints: {
      readOnly,
      // MCP gives it a meaning only for tools that write.
      destructive: !readOnly && hint("destructiveHint", true),
      idempotent: readOnly || hint("idempotentHint", false),
      openWorld: hint("openWorldHint", true),
    },
  };
}

/** Tag characters and zero-width ones: a model reads what a reviewer does not see. */
const INVISIBLE = /[\u{E0000}-\u{E007F}\u200B-\u200F\u2060-\u2064\uFEFF]/u;

function invisibleCharacters(root: JsonObject): SchemaProblem[] {
  return ["title", "description"].flatMap((name) => {
    const node = root.members.get(name);
    if (node?.type !== "string" || !INVISIBLE.test(node.value)) return [];
    const message = `The ${name} contains invisible characters, which a model reads and a reviewer does not see.`;
    return [{ rule: "invisible_characters", message, pointer: `/${name}` }];
  });
}
