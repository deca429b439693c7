/** References between files of one repository, read from the files themselves: imports, `$ref`s and names of Avro types. */
import { dirname, join, normalize } from "node:path";
import { type JsonNode, parseJsonText } from "../../schema/json-text.ts";
import type { DeclaredReference } from "../project-file.ts";
import type { SchemaText } from "./schema-text.ts";
import { splitPlace } from "./unwrap.ts";

type Named = { subject: string; schema: SchemaText };

export function inferReferences(entry: Named, entries: readonly Named[]): DeclaredReference[] {
  const others = entries.filter(
    ({ subject, schema }) => subject !== entry.subject && schema.format === entry.schema.format,
  );
  if (others.length === 0) return [];
  switch (entry.schema.format) {
    case "protobuf":
      return findImports(entry.schema.text).flatMap((name) =>
        referenceTo(
          name,
          others.find(({ schema }) => isPathOf(schema, name)),
        ),
      );
    case "avro":
      return inferAvro(entry.schema.text, others);
    default:
      return inferJson(entry.schema, others);
  }
}

function referenceTo(name: string, target: Named | undefined): DeclaredReference[] {
  return target === undefined ? [] : [{ name, subject: target.subject }];
}

/** An import is a path below one of the compiler's folders, which the end of the file's own path must equal. */
function isPathOf({ place }: SchemaText, name: string): boolean {
  const { path } = splitPlace(place);
  return path === name || path.endsWith(`/${name}`);
}

function findImports(text: string): string[] {
  const code = text.replace(/\/\/[^\n]*|\/\*[\s\S]*?\*\//g, " ");
  return [...code.matchAll(/^\s*import\s+(?:public\s+|weak\s+)?["']([^"']+)["']\s*;/gm)].map(([, name]) => name!);
}

function inferJson({ place, text }: SchemaText, others: readonly Named[]): DeclaredReference[] {
  const parsed = parseJsonText(text);
  if (!parsed.ok) return [];
  const names = new Set<string>();
  visit(parsed.value.root, (node) => {
    const ref = node.type === "object" ? node.members.get("$ref") : undefined;
    const [document = ""] = ref?.type === "string" ? ref.value.split("#") : [];
    if (document !== "") names.add(document);
  });
  const folder = dirname(splitPlace(place).path);
  return [...names].flatMap((name) =>
    referenceTo(
      name,
      others.find(({ schema }) => splitPlace(schema.place).path === normalize(join(folder, name))) ??
        others.find(({ schema }) => findIdentifier(schema.text) === name),
    ),
  );
}

function findIdentifier(text: string): string | undefined {
  const parsed = parseJsonText(text);
  const root = parsed.ok ? parsed.value.root : undefined;
  const id = root?.type === "object" ? (root.members.get("$id") ?? root.members.get("id")) : undefined;
  return id?.type === "string" ? id.value : undefined;
}

function inferAvro(text: string, others: readonly Named[]): DeclaredReference[] {
  const { used } = avroNames(text);
  return others.flatMap((other) => {
    const [name] = avroNames(other.schema.text).root;
    return name !== undefined && used.has(name) ? [{ name, subject: other.subject }] : [];
  });
}

/** The full name of the outermost type, and the full names that are used as types. */
function avroNames(text: string): { root: string[]; used: ReadonlySet<string> } {
  const parsed = parseJsonText(text, { allowComments: true });
  const used = new Set<string>();
  if (!parsed.ok) return { root: [], used };
  const { root } = parsed.value;
  collectAvro(root, "", used);
  const own = root.type === "object" ? findFullName(root, "") : undefined;
  return { root: own === undefined ? [] : [own.name], used };
}

function collectAvro(node: JsonNode | undefined, namespace: string, used: Set<string>): void {
  if (node === undefined) return;
  if (node.type === "string") {
    used.add(node.value.includes(".") || namespace === "" ? node.value : `${namespace}.${node.value}`);
    return;
  }
  if (node.type === "array") {
    for (const item of node.items) collectAvro(item, namespace, used);
    return;
  }
  if (node.type !== "object") return;
  const inner = findFullName(node, namespace)?.namespace ?? namespace;
  const { members } = node;
  const fields = members.get("fields");
  for (const key of ["type", "items", "values"]) collectAvro(members.get(key), inner, used);
  if (fields?.type !== "array") return;
  for (const field of fields.items) {
    if (field.type === "object") collectAvro(field.members.get("type"), inner, used);
  }
}

function findFullName(
  node: JsonNode & { type: "object" },
  outer: string,
): { name: string; namespace: string } | undefined {
  const name = node.members.get("name");
  if (name?.type !== "string") return undefined;
  if (name.value.includes(".")) {
    return { name: name.value, namespace: name.value.slice(0, name.value.lastIndexOf(".")) };
  }
  const own = node.members.get("namespace");
  const namespace = own?.type === "string" ? own.value : outer;
  return { name: namespace === "" ? name.value : `${namespace}.${name.value}`, namespace };
}

function visit(node: JsonNode, act: (node: JsonNode) => void): void {
  act(node);
  if (node.type === "object") for (const member of node.members.values()) visit(member, act);
  else if (node.type === "array") for (const item of node.items) visit(item, act);
}
