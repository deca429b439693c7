/** The variables that a Jinja template uses, from its syntax tree. */
import { TemplateError, UseList, type VariableUse } from "./template.ts";

/** A node of the library's tree; its classes are not exported. */
export type JinjaNode = { type: string; [member: string]: unknown };

type Paths = VariableUse["candidates"];
/** Local names with the paths that they refer to; no path if the value is computed. */
type Locals = ReadonlyMap<string, Paths>;

const GLOBALS = new Set([
  "true",
  "True",
  "false",
  "False",
  "none",
  "None",
  "range",
  "namespace",
  "loop",
  "raise_exception",
]);

/** Nodes inside each other, several to a block or bracket. */
const MAX_TREE_DEPTH = 500;
/** Names set at one place; every statement copies them. */
const MAX_LOCALS = 500;

export function collectJinjaUses(program: JinjaNode, text: string): VariableUse[] {
  const walk = new UseWalk(text);
  walk.requireShallow(program);
  walk.block(program.body as JinjaNode[], new Map(), new Set());
  return walk.list.uses;
}

class UseWalk {
  readonly list = new UseList();
  readonly #text: string;
  #places: ReadonlyMap<string, number> | undefined;

  constructor(text: string) {
    this.#text = text;
  }

  /** Chains of operators, indexes, tests and branches nest as deep as they are long; evaluating recurses into them. */
  requireShallow(program: JinjaNode): void {
    const open: { node: JinjaNode; depth: number }[] = [{ node: program, depth: 0 }];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      const { node, depth } = next;
      const children = childrenOf(node);
      if (depth > MAX_TREE_DEPTH && children.length === 0) {
        // Only names can be found in the text.
        const offset = node.type === "Identifier" ? this.#placeOf(String(node.value)) : 0;
        throw new TemplateError(`The template nests deeper than ${MAX_TREE_DEPTH}.`, offset, true);
      }
      for (const child of children) open.push({ node: child, depth: depth + 1 });
    }
  }

  block(statements: readonly JinjaNode[], locals: Locals, guards: ReadonlySet<string>): void {
    let known = locals;
    for (const statement of statements) {
      known = this.#statement(statement, known, guards);
      if (known.size > MAX_LOCALS) {
        const last = [...known.keys()].at(-1)!;
        throw new TemplateError(`The template sets more than ${MAX_LOCALS} names.`, this.#placeOf(last), true);
      }
    }
  }

  /** The locals after the statement. */
  #statement(node: JinjaNode, locals: Locals, guards: ReadonlySet<string>): Locals {
    switch (node.type) {
      case "If": {
        this.#expression(node.test as JinjaNode, locals, guards, true);
        const tested = new Set([...guards, ...namesIn(node.test)]);
        this.block(node.body as JinjaNode[], locals, tested);
        this.block(node.alternate as JinjaNode[], locals, tested);
        return locals;
      }
      case "For": {
        const iterable = node.iterable as JinjaNode;
        this.#expression(iterable, locals, guards, true);
        const items = this.#pathsOf(iterable, locals).map((path) => [...path, "[]"]);
        const inner = new Map(locals);
        const { loopvar } = node as { loopvar?: JinjaNode };
        if (loopvar?.type === "Identifier") inner.set(String(loopvar.value), items);
        else for (const name of namesIn(loopvar)) inner.set(name, []);
        this.block(node.body as JinjaNode[], inner, new Set([...guards, ...namesIn(iterable)]));
        this.block(node.defaultBlock as JinjaNode[], locals, guards);
        return locals;
      }
      case "Set": {
        const { assignee, value, body } = node as unknown as {
          assignee: JinjaNode;
          value?: JinjaNode;
          body?: JinjaNode[];
        };
        if (value) this.#expression(value, locals, guards, false);
        this.block(body ?? [], locals, guards);
        if (assignee.type !== "Identifier") return locals;
        return new Map([...locals, [String(assignee.value), value ? this.#pathsOf(value, locals) : []]]);
      }
      case "Macro": {
        const { name, args, body } = node as unknown as { name: JinjaNode; args: JinjaNode[]; body: JinjaNode[] };
        const inner = new Map([...locals, ["caller", []]] as [string, Paths][]);
        for (const argument of args) {
          const named = argument.type === "KeywordArgumentExpression" ? (argument.key as JinjaNode) : argument;
          inner.set(String(named.value), []);
        }
        this.block(body, inner, guards);
        return new Map([...locals, [String(name.value), []]]);
      }
      default:
        this.#expression(node, locals, guards, false);
        return locals;
    }
  }

  /** `isTest`: only whether there is a value matters. */
  #expression(node: JinjaNode, locals: Locals, guards: ReadonlySet<string>, isTest: boolean): void {
    if (node.type === "Identifier" || (node.type === "MemberExpression" && node.computed !== true)) {
      const candidates = this.#pathsOf(node, locals);
      const root = rootName(node);
      if (candidates.length > 0 && root !== undefined) this.#use(root, candidates, isTest || guards.has(root));
      else if (node.type === "MemberExpression") this.#expression(node.object as JinjaNode, locals, guards, isTest);
      return;
    }
    const isAboutPresence = node.type === "TestExpression" || isDefaultFilter(node);
    const branch = node.type === "Ternary" || node.type === "SelectExpression";
    const tested = branch ? new Set([...guards, ...namesIn(node.condition ?? node.test)]) : guards;
    for (const child of expressionsIn(node)) this.#expression(child, locals, tested, isTest || isAboutPresence);
  }

  #pathsOf(node: JinjaNode, locals: Locals): Paths {
    if (node.type === "Identifier") {
      const name = String(node.value);
      return locals.get(name) ?? (GLOBALS.has(name) ? [] : [[name]]);
    }
    if (node.type !== "MemberExpression") return [];
    const property = node.property as JinjaNode;
    const isName = node.computed !== true ? property.type === "Identifier" : property.type === "StringLiteral";
    return this.#pathsOf(node.object as JinjaNode, locals).map((path) => [
      ...path,
      isName ? String(property.value) : "[]",
    ]);
  }

  #use(name: string, candidates: Paths, isGuarded: boolean): void {
    this.list.add({ name: candidates[0]!.join("."), candidates, offset: this.#placeOf(name), isGuarded });
  }

  #placeOf(name: string): number {
    this.#places ??= wordPlaces(this.#text);
    return this.#places.get(name) ?? 0;
  }
}

/** The first place of every word: the tree has no positions. */
function wordPlaces(text: string): ReadonlyMap<string, number> {
  const places = new Map<string, number>();
  for (const { 0: word, index } of text.matchAll(/[A-Za-z_]\w*/g)) if (!places.has(word)) places.set(word, index);
  return places;
}

/** All nodes of the tree directly inside a node. */
function childrenOf(node: JinjaNode): JinjaNode[] {
  const found: JinjaNode[] = [];
  const values: unknown[] = Object.values(node);
  for (const value of values) {
    if (Array.isArray(value)) for (const item of value) values.push(item);
    else if (value instanceof Map) values.push(...[...value].flat());
    else if (typeof value === "object" && value !== null && "type" in value) found.push(value as JinjaNode);
  }
  return found;
}

/** Members of an object that are nodes of the tree. A call's name and a filter's are not variables. */
function expressionsIn(node: JinjaNode): JinjaNode[] {
  const found: JinjaNode[] = [];
  const add = (value: unknown) => {
    if (Array.isArray(value)) for (const item of value) add(item);
    else if (value instanceof Map) for (const [key, item] of value) for (const each of [key, item]) add(each);
    else if (typeof value === "object" && value !== null && "type" in value && typeof value.type === "string") {
      found.push(value as JinjaNode);
    }
  };
  for (const [name, value] of Object.entries(node)) {
    if (name === "operator" || name === "key" || (name === "test" && node.type === "TestExpression")) continue;
    if (name === "filter") {
      add((value as JinjaNode).args);
      continue;
    }
    if (name === "property" && node.computed !== true) continue;
    // A method of a value uses the value; a macro is not a variable.
    if (name === "callee") add((value as JinjaNode).object);
    else add(value);
  }
  return found;
}

function isDefaultFilter(node: JinjaNode): boolean {
  if (node.type !== "FilterExpression") return false;
  const filter = node.filter as JinjaNode;
  const name = filter.type === "CallExpression" ? (filter.callee as JinjaNode).value : filter.value;
  return name === "default" || name === "d";
}

function rootName(node: JinjaNode): string | undefined {
  if (node.type === "Identifier") return String(node.value);
  return node.type === "MemberExpression" ? rootName(node.object as JinjaNode) : undefined;
}

/** The root names in an expression. */
function namesIn(node: unknown): string[] {
  if (typeof node !== "object" || node === null) return [];
  const expression = node as JinjaNode;
  const root = rootName(expression);
  if (root !== undefined) return [root];
  return [
    ...expressionsIn(expression),
    ...(Array.isArray(expression.value) ? (expression.value as JinjaNode[]) : []),
  ].flatMap(namesIn);
}
