/**
 * The syntaxes that only substitute names: Python's f-string as LangChain restricts it, Langfuse's, and the dollars of
 * Python's string.Template.
 */
import { ok, refuse } from "../result.ts";
import {
  type ParsedTemplate,
  printValue,
  RenderBudget,
  type Suspicion,
  TemplateError,
  toRenderProblem,
  toTemplateProblem,
} from "./template.ts";

type Token = { text: string } | { name: string; offset: number };
type Flat = {
  tokens: readonly Token[] /** Names that were escaped, with their place. */;
  escaped: readonly NamedPlace[];
};
type NamedPlace = { name: string; offset: number };

const NAME = "[A-Za-z_][A-Za-z0-9_]*";

function flatTemplate(
  text: string,
  tokenize: (text: string) => Flat,
  escapedRule: (name: string) => string,
): ParsedTemplate {
  let flat: Flat;
  try {
    flat = tokenize(text);
  } catch (error) {
    return refuse(toTemplateProblem(error));
  }
  const { tokens, escaped } = flat;
  return ok({
    uses: tokens.flatMap((token) =>
      "name" in token ? [{ name: token.name, candidates: [[token.name]], offset: token.offset, isGuarded: false }] : [],
    ),
    suspicions: (declared) => [
      ...escaped
        .filter(({ name }) => declared.has(name))
        .map(({ name, offset }): Suspicion => ({ rule: "escaped_variable", message: escapedRule(name), offset })),
    ],
    render(variables) {
      const budget = new RenderBudget();
      try {
        const pieces = tokens.map((token) => {
          budget.spendSteps();
          const written = "name" in token ? printValue(ownValue(variables, token.name)) : token.text;
          budget.spendCharacters(written.length);
          return written;
        });
        return ok(pieces);
      } catch (error) {
        return refuse(toRenderProblem(error));
      }
    },
  });
}

/** Never a member that every object inherits. */
export function ownValue(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined;
  return (value as Record<string, unknown>)[name];
}

/** `{name}`; `{{` and `}}` are braces. */
export function parseFString(text: string): ParsedTemplate {
  return flatTemplate(
    text,
    tokenizeFString,
    (name) => `"{{${name}}}" is the text {${name}} in an f-string; write {${name}} for the variable.`,
  );
}

function tokenizeFString(text: string): Flat {
  const tokens: Token[] = [];
  const escaped: NamedPlace[] = [];
  let plain = "";
  for (let at = 0; at < text.length; ) {
    const two = text.slice(at, at + 2);
    if (two === "{{" || two === "}}") {
      const name = two === "{{" ? new RegExp(`\\{\\{\\s*(${NAME})\\s*\\}\\}`, "y") : undefined;
      if (name) name.lastIndex = at;
      const found = name?.exec(text)?.[1];
      if (found !== undefined) escaped.push({ name: found, offset: at });
      plain += two[0];
      at += 2;
      continue;
    }
    if (text[at] === "}") throw new TemplateError("A single } must be written }} in an f-string.", at);
    if (text[at] !== "{") {
      plain += text[at];
      at += 1;
      continue;
    }
    const end = text.indexOf("}", at);
    const name = end === -1 ? undefined : text.slice(at + 1, end);
    if (name === undefined || !new RegExp(`^${NAME}$`).test(name)) {
      throw new TemplateError(
        "{ must be followed by a variable's name and } in an f-string; write {{ for a brace, as in JSON.",
        at,
      );
    }
    tokens.push({ text: plain }, { name, offset: at });
    plain = "";
    at = end + 1;
  }
  return { tokens: [...tokens, { text: plain }], escaped };
}

/** `{{name}}`; every other brace is text. */
export function parseLangfuse(text: string): ParsedTemplate {
  return flatTemplate(text, tokenizeLangfuse, (name) => name);
}

function tokenizeLangfuse(text: string): Flat {
  const composed = /@@@langfusePrompt:/.exec(text);
  if (composed) {
    throw new TemplateError("Another prompt is composed here; resolve it before registering.", composed.index);
  }
  const tokens: Token[] = [];
  let from = 0;
  for (const match of text.matchAll(new RegExp(`\\{\\{\\s*(${NAME})\\s*\\}\\}`, "g"))) {
    tokens.push({ text: text.slice(from, match.index) }, { name: match[1]!, offset: match.index });
    from = match.index + match[0].length;
  }
  return { tokens: [...tokens, { text: text.slice(from) }], escaped: [] };
}

/** `$name` and `${name}`; `$$` is a dollar. */
export function parseDollar(text: string): ParsedTemplate {
  return flatTemplate(
    text,
    tokenizeDollar,
    (name) => `"$$${name}" is the text $${name}; write $${name} for the variable.`,
  );
}

function tokenizeDollar(text: string): Flat {
  const tokens: Token[] = [];
  const escaped: NamedPlace[] = [];
  let from = 0;
  for (const match of text.matchAll(new RegExp(`\\$(?:(\\$)(${NAME})?|(${NAME})|\\{(${NAME})\\}|)`, "g"))) {
    const [whole, dollar, afterDollar, plain, braced] = match;
    const name = plain ?? braced;
    tokens.push({ text: text.slice(from, match.index) });
    from = match.index + whole.length;
    if (dollar !== undefined) {
      if (afterDollar !== undefined) escaped.push({ name: afterDollar, offset: match.index });
      tokens.push({ text: `$${afterDollar ?? ""}` });
    } else if (name !== undefined) tokens.push({ name, offset: match.index });
    else throw new TemplateError("$ must be followed by a variable's name; write $$ for a dollar.", match.index);
  }
  return { tokens: [...tokens, { text: text.slice(from) }], escaped };
}
