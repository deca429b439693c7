/** Reads a prompt's own fields and checks them against its parts, as far as possible without rendering it. */
import type { OwnFields } from "../artefact.ts";
import { TOO_COMPLEX_RULE } from "../artefact.ts";
import type { SchemaField, SchemaProblem, SchemaSource } from "../format.ts";
import { jsonSchema } from "../json/format.ts";
import { type JsonNode, type JsonObject, toPlainValue, writeJsonText } from "../json-text.ts";
import type { ArtefactPart } from "../parts.ts";
import { type PromptFields, type PromptMessage, type PromptSyntax, TEMPLATE_PARSERS } from "./model.ts";
import type { VariableUse } from "./template.ts";

/** Warnings about one prompt; a template could give one for every few characters. */
const MAX_WARNINGS = 100;

export function readPrompt(
  root: JsonObject,
  parts: readonly ArtefactPart[],
  source: SchemaSource,
): OwnFields<PromptFields> {
  const problems: SchemaProblem[] = [];
  const warnings: SchemaProblem[] = [];
  const syntax = textAt(root, "syntax") as PromptSyntax;
  const messages = templatesOf(root).flatMap((each) => readMessage(each, syntax, problems));
  const variables = parts.find(({ declaration }) => declaration.name === "variables")!;
  const declared = new DeclaredVariables(variables);
  const used = checkUses(messages, declared, { root, problems, warnings });
  for (const name of declared.names) {
    if (used.has(name)) continue;
    const message = `The variable "${name}" is declared and no template uses it.`;
    warnings.push({ rule: "unused_variable", message, pointer: "/variables" });
  }
  const isStrict = textAt(root, "undefined") !== "lenient";
  const needed = isStrict ? neededBeyond(messages, declared) : [];
  for (const name of needed) {
    const message = `The variable "${name}" is optional, but a call without it cannot be rendered: require it, give it a default, test it in the template, or set "undefined" to "lenient".`;
    warnings.push({ rule: "optional_variable_needed", message, pointer: "/variables" });
  }
  const tools = readTools(root, source, problems);
  checkExamples(root, parts, problems);
  return {
    own: {
      syntax,
      form: root.members.has("text") ? "text" : "messages",
      messages,
      words: wordsOf(root),
      isStrict,
      used,
      needed,
      defaults: declared.defaults,
      tools,
      model: sortedText(root.members.get("model")),
      examples: sortedText(root.members.get("examples")),
      description: textAt(root, "description") ?? null,
    },
    problems,
    warnings: warnings.slice(0, MAX_WARNINGS),
  };
}

function textAt(root: JsonObject, name: string): string | undefined {
  const node = root.members.get(name);
  return node?.type === "string" ? node.value : undefined;
}

function sortedText(node: JsonNode | undefined): string {
  return node === undefined ? "" : writeJsonText(node, { sortKeys: true });
}

function wordsOf(root: JsonObject): string {
  return sortedText(root.members.get("text") ?? root.members.get("messages"));
}

/** A template is parsed in one go, which takes a tenth of a second for one of this size. */
export const MAX_TEMPLATE_CHARACTERS = 256 * 1024;

type Written = { role: string; content: string; pointer: string } | { placeholder: string; pointer: string };

/** A prompt of one text is one message of the user. */
function templatesOf(root: JsonObject): Written[] {
  const text = textAt(root, "text");
  if (text !== undefined) return [{ role: "user", content: text, pointer: "/text" }];
  const messages = root.members.get("messages");
  if (messages?.type !== "array") return [];
  return messages.items.flatMap((node, index): Written[] => {
    if (node.type !== "object") return [];
    const placeholder = textAt(node, "placeholder");
    const pointer = `/messages/${index}`;
    if (placeholder !== undefined) return [{ placeholder, pointer: `${pointer}/placeholder` }];
    return [
      { role: textAt(node, "role") ?? "", content: textAt(node, "content") ?? "", pointer: `${pointer}/content` },
    ];
  });
}

function readMessage(written: Written, syntax: PromptSyntax, problems: SchemaProblem[]): PromptMessage[] {
  if ("placeholder" in written) return [written];
  const { role, content, pointer } = written;
  if (content.length > MAX_TEMPLATE_CHARACTERS) {
    const message = `A template has at most ${MAX_TEMPLATE_CHARACTERS} characters, this one ${content.length}.`;
    problems.push({ rule: TOO_COMPLEX_RULE, message, pointer });
    return [];
  }
  const parsed = TEMPLATE_PARSERS[syntax](content);
  if (parsed.ok) return [{ role, template: parsed.value, pointer }];
  const { message, offset, isTooComplex } = parsed.refusal;
  problems.push({
    rule: isTooComplex ? TOO_COMPLEX_RULE : "template",
    message: `${message} (${placeIn(content, offset)} of the template)`,
    pointer,
  });
  return [];
}

/** The place in the template's own lines, which JSON writes as one line. */
function placeIn(text: string, offset: number): string {
  const before = text.slice(0, offset).split("\n");
  return `line ${before.length}, column ${before.at(-1)!.length + 1}`;
}

/** The variables that the part `variables` declares, with their members. */
class DeclaredVariables {
  readonly names: ReadonlySet<string>;
  readonly required: ReadonlySet<string>;
  readonly defaults: Readonly<Record<string, unknown>>;
  readonly #fields: ReadonlyMap<string, SchemaField>;
  /** Every path with its beginnings, and those that have something below them. */
  readonly #known = new Set<string>();
  readonly #parents = new Set<string>();
  /** The schema says that any other name may be given. */
  readonly #isOpen: boolean;

  constructor({ model, pointer }: ArtefactPart) {
    const fields = jsonSchema.fields(model);
    this.#fields = new Map(fields.map((field) => [field.path, field]));
    for (const path of this.#fields.keys()) {
      this.#known.add(path);
      for (const { index } of path.matchAll(/\.|\[\]/g)) {
        this.#parents.add(path.slice(0, index));
        this.#known.add(path.slice(0, index));
      }
    }
    this.names = new Set(jsonSchema.topLevelNames(model));
    this.required = new Set(
      fields.filter(({ path, required }) => required && this.names.has(path)).map(({ path }) => path),
    );
    const { node } = model.root;
    const members = node.type === "object" ? node.members : new Map<string, JsonNode>();
    const additional = members.get("additionalProperties");
    const admitsAny = additional?.type === "object" || (additional?.type === "boolean" && additional.value);
    this.#isOpen = pointer !== null && (admitsAny || (node.type === "boolean" && node.value));
    const properties = members.get("properties");
    const defaults = properties?.type === "object" ? [...properties.members] : [];
    this.defaults = Object.fromEntries(
      defaults.flatMap(([name, node]) => {
        const value = node.type === "object" ? node.members.get("default") : undefined;
        return value === undefined ? [] : [[name, toPlainValue(value)]];
      }),
    );
  }

  /** Undefined if the path is declared, else what is wrong with it. */
  problemOf(path: readonly string[]): "undeclared" | "nesting" | undefined {
    const [root] = path;
    if (root === undefined) return undefined;
    if (!this.names.has(root)) return this.#isOpen ? undefined : "undeclared";
    let known = root;
    for (const name of path.slice(1)) {
      const next = name === "[]" ? `${known}[]` : `${known}.${name}`;
      if (this.#known.has(next)) {
        known = next;
        continue;
      }
      const inside = this.#parents.has(known);
      const type = this.#fields.get(known)?.type ?? "";
      const mayHold = !inside && (type === "" || /object|array|any|\{|\[/.test(type));
      return mayHold ? undefined : "nesting";
    }
    return undefined;
  }
}

type Checked = { root: JsonObject; problems: SchemaProblem[]; warnings: SchemaProblem[] };

/** Problems reported for one prompt's variables. */
const MAX_USE_PROBLEMS = 20;

/** The declared variables that the templates use. */
function checkUses(
  messages: readonly PromptMessage[],
  declared: DeclaredVariables,
  { problems, warnings }: Checked,
): ReadonlySet<string> {
  const used = new Set<string>();
  const seen = new Set<string>();
  for (const message of messages) {
    if ("placeholder" in message) {
      used.add(message.placeholder);
      if (declared.problemOf([message.placeholder]) !== undefined) {
        const text = `The placeholder "${message.placeholder}" is not declared in "variables".`;
        problems.push({ rule: "undeclared_variable", message: text, pointer: message.pointer });
      }
      continue;
    }
    for (const use of message.template.uses) {
      const found = declaredCandidate(use, declared);
      if (found !== undefined) {
        used.add(found[0]!);
        continue;
      }
      const key = `${message.pointer} ${use.name}`;
      if (seen.has(key) || problems.length >= MAX_USE_PROBLEMS) continue;
      seen.add(key);
      problems.push({ ...undeclaredProblem(use, declared), pointer: message.pointer });
    }
    for (const { rule, message: text } of message.template.suspicions(declared.names)) {
      warnings.push({ rule, message: text, pointer: message.pointer });
    }
  }
  return used;
}

function declaredCandidate(use: VariableUse, declared: DeclaredVariables): readonly string[] | undefined {
  return use.candidates.find((path) => declared.problemOf(path) === undefined);
}

function undeclaredProblem({ name, candidates }: VariableUse, declared: DeclaredVariables): SchemaProblem {
  if (candidates.every((path) => declared.problemOf(path) === "undeclared")) {
    const message = `The template uses "${name}", which "variables" does not declare.`;
    return { rule: "undeclared_variable", message };
  }
  const message = `The template uses "${name}", but "variables" declares nothing at that place inside "${candidates[0]![0]}".`;
  return { rule: "wrong_nesting", message };
}

function neededBeyond(messages: readonly PromptMessage[], declared: DeclaredVariables): string[] {
  const needed = new Set<string>();
  for (const message of messages) {
    if ("placeholder" in message) continue;
    for (const use of message.template.uses) {
      const root = use.isGuarded ? undefined : declaredCandidate(use, declared)?.[0];
      if (root === undefined || !declared.names.has(root)) continue;
      if (!declared.required.has(root) && !Object.hasOwn(declared.defaults, root)) needed.add(root);
    }
  }
  return [...needed].sort();
}

function readTools(root: JsonObject, { references }: SchemaSource, problems: SchemaProblem[]): PromptFields["tools"] {
  const tools = root.members.get("tools");
  if (tools?.type !== "array") return [];
  return tools.items.flatMap((node, index) => {
    const name = node.type === "object" ? textAt(node, "$ref") : undefined;
    if (name === undefined) return [];
    const reference = references.find((each) => each.name === name);
    if (reference === undefined) {
      const message = `The prompt's references contain no "${name}"; name the tool there with its subject and version.`;
      problems.push({ rule: "unresolved_tool", message, pointer: `/tools/${index}/$ref` });
    }
    return [{ name, reference }];
  });
}

function checkExamples(root: JsonObject, parts: readonly ArtefactPart[], problems: SchemaProblem[]): void {
  const examples = root.members.get("examples");
  if (examples?.type !== "array") return;
  for (const [index, example] of examples.items.entries()) {
    for (const { declaration, model } of parts) {
      const node = example.type === "object" ? example.members.get(declaration.name) : undefined;
      if (node === undefined) continue;
      const verdict = jsonSchema.data.validate(model, toPlainValue(node), { formats: true });
      const errors = verdict.ok ? verdict.value.errors : [{ pointer: "", message: verdict.refusal.message }];
      for (const { pointer, message } of errors.slice(0, 1)) {
        problems.push({
          rule: "example",
          message: `The example does not match "${declaration.name}": ${message}`,
          pointer: `/examples/${index}/${declaration.name}${pointer}`,
        });
      }
    }
  }
}
