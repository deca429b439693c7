/**
 * The Handlebars of Dotprompt: output, `if`, `unless`, `each`, `with`, and Dotprompt's helpers `role` and `json`.
 * Interpreted here, because the Handlebars library compiles templates to code. Anything else that a template uses is
 * refused when the prompt is registered.
 */
import { ok, refuse } from "../result.ts";
import { ownValue } from "./flat.ts";
import { templateTags } from "./tags.ts";
import {
  MAX_TEMPLATE_DEPTH,
  type ParsedTemplate,
  type Piece,
  printValue,
  RenderBudget,
  TemplateError,
  toRenderProblem,
  toTemplateProblem,
  UseList,
  type VariableUse,
} from "./template.ts";

/** A path: levels outwards (`../`), then names; `this` is the empty path. */
type Path = { up: number; names: readonly string[]; data: string | null; written: string; offset: number };

type Node =
  | { type: "text"; text: string }
  | { type: "output"; path: Path; asJson: boolean }
  | { type: "role"; role: string }
  | { type: "block"; name: BlockName; path: Path; body: Node[]; otherwise: Node[] };

const BLOCKS = ["if", "unless", "each", "with"] as const;
type BlockName = (typeof BLOCKS)[number];

export function parseHandlebars(text: string): ParsedTemplate {
  try {
    const nodes = new HandlebarsParser(text).parse();
    const list = new UseList();
    collectUses(nodes, [[[]]], new Set(), list);
    return ok({
      uses: list.uses,
      suspicions: () => [],
      render(variables) {
        try {
          const renderer = new Renderer();
          renderer.render(nodes, [variables], {});
          return ok(renderer.pieces);
        } catch (error) {
          return refuse(toRenderProblem(error));
        }
      },
    });
  } catch (error) {
    return refuse(toTemplateProblem(error));
  }
}

const DELIMITERS = [
  ["{{!--", "--}}"],
  ["{{~!--", "--}}"],
  ["{{{", "}}}"],
  ["{{", "}}"],
] as const;
const TAG = /^\{\{\{?(~?)([\s\S]*?)(~?)\}?\}\}$/;

class HandlebarsParser {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  parse(): Node[] {
    const root: Node[] = [];
    const open: { node: Extract<Node, { type: "block" }>; offset: number }[] = [];
    let into = root;
    let from = 0;
    let trimsNext = false;
    const addText = (text: string, trimsEnd: boolean) => {
      const started = trimsNext ? text.trimStart() : text;
      const written = trimsEnd ? started.trimEnd() : started;
      if (written !== "") into.push({ type: "text", text: written });
      trimsNext = false;
    };
    for (const { text: whole, offset: index } of templateTags(this.#text, DELIMITERS)) {
      const [, trimBefore, inside = "", trimAfter] = TAG.exec(whole) ?? [];
      const isEscaped = this.#text[index - 1] === "\\";
      addText(this.#text.slice(from, isEscaped ? index - 1 : index), trimBefore === "~");
      from = index + whole.length;
      if (isEscaped) {
        into.push({ type: "text", text: whole });
        continue;
      }
      trimsNext = trimAfter === "~";
      const tag = inside.trim();
      if (tag.startsWith("!")) continue;
      if (tag.startsWith("#")) {
        const node = this.#block(tag.slice(1), index);
        if (open.length >= MAX_TEMPLATE_DEPTH) {
          throw new TemplateError(`Blocks are nested deeper than ${MAX_TEMPLATE_DEPTH}.`, index, true);
        }
        into.push(node);
        open.push({ node, offset: index });
        into = node.body;
      } else if (tag === "else" || tag === "^") {
        const innermost = open.at(-1);
        if (innermost === undefined || into === innermost.node.otherwise) {
          throw new TemplateError("{{else}} belongs into a block, once.", index);
        }
        into = innermost.node.otherwise;
      } else if (tag.startsWith("/")) {
        const closed = open.pop();
        const name = tag.slice(1).trim();
        if (closed?.node.name !== name) {
          const expected = closed === undefined ? "no block is open" : `expected {{/${closed.node.name}}}`;
          throw new TemplateError(`{{/${name}}} closes nothing: ${expected}.`, index);
        }
        const around = open.at(-1)?.node;
        into = around === undefined ? root : around.otherwise.length > 0 ? around.otherwise : around.body;
      } else into.push(this.#output(tag, index));
    }
    addText(this.#text.slice(from), false);
    const unclosed = open.at(-1);
    if (unclosed) throw new TemplateError(`{{#${unclosed.node.name}}} is never closed.`, unclosed.offset);
    const broken = this.#text.indexOf("{{", from);
    if (broken !== -1) throw new TemplateError("{{ is never closed.", broken);
    return root;
  }

  #block(tag: string, offset: number): Extract<Node, { type: "block" }> {
    const [name = "", argument, ...more] = tag.trim().split(/\s+/);
    const known = BLOCKS.find((each) => each === name);
    if (known === undefined || argument === undefined || more.length > 0) {
      throw new TemplateError(
        `{{#${tag.trim()}}} is not supported; blocks are ${BLOCKS.join(", ")}, with one path.`,
        offset,
      );
    }
    return { type: "block", name: known, path: this.#path(argument, offset), body: [], otherwise: [] };
  }

  #output(tag: string, offset: number): Node {
    const [name = "", argument, ...more] = tag.split(/\s+/);
    if (name === "role" && argument !== undefined && more.length === 0) {
      const role = /^["']([\w-]+)["']$/.exec(argument)?.[1];
      if (role !== undefined) return { type: "role", role };
    }
    if (name === "json" && argument !== undefined && more.length === 0) {
      return { type: "output", path: this.#path(argument, offset), asJson: true };
    }
    if (argument !== undefined) {
      throw new TemplateError(`The helper "${name}" is not supported; helpers are role and json.`, offset);
    }
    return { type: "output", path: this.#path(name, offset), asJson: false };
  }

  #path(written: string, offset: number): Path {
    const match = /^((?:\.\.\/)*)(@?)((?:this|\.|[A-Za-z_][\w-]*)(?:[./][A-Za-z_0-9][\w-]*)*)$/.exec(written);
    if (match === null) throw new TemplateError(`"${written}" is not a path, such as user.name.`, offset);
    const up = match[1]!.length / 3;
    const names = match[3] === "." ? [] : match[3]!.split(/[./]/).filter((name, at) => !(at === 0 && name === "this"));
    return { up, names, data: match[2] === "@" ? names[0]! : null, written, offset };
  }
}

type Scopes = readonly VariableUse["candidates"][];

function collectUses(nodes: readonly Node[], scopes: Scopes, guards: ReadonlySet<string>, list: UseList): void {
  const pathsOf = ({ up, names }: Path) =>
    (scopes.at(-1 - up) ?? []).map((path) => [...path, ...names]).filter((path) => path.length > 0);
  const use = (path: Path, isGuarded: boolean) => {
    const candidates = pathsOf(path);
    if (path.data !== null || candidates.length === 0) return;
    list.add({ name: path.written, candidates, offset: path.offset, isGuarded });
  };
  for (const node of nodes) {
    if (node.type === "output") {
      const isMember = scopes.length > 1 && node.path.up === 0;
      use(node.path, isMember || guards.has(node.path.written));
    }
    if (node.type !== "block") continue;
    use(node.path, true);
    const inner = pathsOf(node.path);
    const around =
      node.name === "each"
        ? [...scopes, inner.map((path) => [...path, "[]"])]
        : node.name === "with"
          ? [...scopes, inner]
          : scopes;
    const tested = new Set([...guards, node.path.written]);
    collectUses(node.body, around, node.name === "unless" ? guards : tested, list);
    collectUses(node.otherwise, scopes, node.name === "unless" ? tested : guards, list);
  }
}

class Renderer {
  readonly pieces: Piece[] = [];
  readonly #budget = new RenderBudget();

  render(nodes: readonly Node[], scopes: readonly unknown[], data: Readonly<Record<string, unknown>>): void {
    for (const node of nodes) {
      this.#budget.spendSteps();
      if (node.type === "text") this.#write(node.text);
      else if (node.type === "role") this.pieces.push({ role: node.role });
      else if (node.type === "output") {
        const value = valueAt(node.path, scopes, data);
        this.#write(node.asJson ? (JSON.stringify(value) ?? "") : printValue(value));
      } else this.#block(node, scopes, data);
    }
  }

  #block(
    { name, path, body, otherwise }: Extract<Node, { type: "block" }>,
    scopes: readonly unknown[],
    data: Readonly<Record<string, unknown>>,
  ): void {
    const value = valueAt(path, scopes, data);
    if (name === "if" || name === "unless") {
      this.render(isTruthy(value) === (name === "if") ? body : otherwise, scopes, data);
      return;
    }
    if (name === "with") {
      if (isTruthy(value)) this.render(body, [...scopes, value], data);
      else this.render(otherwise, scopes, data);
      return;
    }
    const entries: [string | number, unknown][] = Array.isArray(value)
      ? [...value.entries()]
      : typeof value === "object" && value !== null
        ? Object.entries(value)
        : [];
    for (const [at, [key, item]] of entries.entries()) {
      const own = { index: at, key, first: at === 0, last: at === entries.length - 1 };
      this.render(body, [...scopes, item], own);
    }
    if (entries.length === 0) this.render(otherwise, scopes, data);
  }

  #write(text: string): void {
    this.#budget.spendCharacters(text.length);
    this.pieces.push(text);
  }
}

function valueAt({ up, names, data: name }: Path, scopes: readonly unknown[], data: Readonly<Record<string, unknown>>) {
  if (name !== null) return ownValue(data, name);
  return names.reduce<unknown>((value, key) => ownValue(value, key), scopes.at(-1 - up));
}

function isTruthy(value: unknown): boolean {
  return Array.isArray(value) ? value.length > 0 : Boolean(value);
}
