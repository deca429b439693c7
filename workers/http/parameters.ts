/** Path, query and header parameters from the OpenAPI document: compiled once, validated on every request. */
import type { ErrorItem } from "../../contract/errors.ts";
import type { ContractSchema } from "./request-schema.ts";

type ParameterValue = string | number | boolean;
export type ParameterValues = Readonly<Record<string, ParameterValue | undefined>>;

export type ParameterSpec = {
  name: string;
  in: "path" | "query" | "header";
  required: boolean;
  default: ParameterValue | undefined;
  /** The value, or a description of what is accepted. */
  parse(text: string): { value: ParameterValue } | { expected: string };
};

export function compileParameter(
  { name, in: place, required = false }: { name: string; in: ParameterSpec["in"]; required?: boolean },
  schema: ContractSchema,
): ParameterSpec {
  const fallback = schema.default as ParameterValue | undefined;
  return { name, in: place, required, default: fallback, parse: compileParse(schema) };
}

/** The source of parameters: headers, a query, or values by name. */
type ParameterSource = Headers | URLSearchParams | Readonly<Record<string, ParameterValue | undefined>>;

/** Reads the parameters of one location. Problems are added to `items`. */
export function readParameters(
  specs: readonly ParameterSpec[],
  source: ParameterSource,
  items: ErrorItem[],
): Record<string, ParameterValue | undefined> {
  const values: Record<string, ParameterValue | undefined> = {};
  const isStore = source instanceof Headers || source instanceof URLSearchParams;
  for (const spec of specs) {
    const text = isStore ? source.get(spec.name) : (source[spec.name] as string | undefined);
    if (text === null || text === undefined) {
      if (spec.required) items.push(toErrorItem(spec, "required", "is missing"));
      values[spec.name] = spec.default;
      continue;
    }
    const parsed = spec.parse(text);
    if ("value" in parsed) values[spec.name] = parsed.value;
    else items.push(toErrorItem(spec, "parameter", `must be ${parsed.expected}, got ${shown(text)}`));
  }
  return values;
}

/** Parameters have no JSON pointer, so the message names them. */
function toErrorItem({ name, in: place }: ParameterSpec, rule: string, problem: string): ErrorItem {
  const noun = { path: "Path parameter", query: "Query parameter", header: "Header" }[place];
  return { rule, message: `${noun} "${name}" ${problem}.` };
}

const MAX_SHOWN_CHARACTERS = 100;

function shown(text: string): string {
  return JSON.stringify(text.length > MAX_SHOWN_CHARACTERS ? `${text.slice(0, MAX_SHOWN_CHARACTERS)}…` : text);
}

function compileParse(schema: ContractSchema): ParameterSpec["parse"] {
  const { enum: allowed, type } = schema as { enum?: readonly string[]; type?: string };
  if (allowed) {
    const expected = `one of ${allowed.join(", ")}`;
    return (text) => (allowed.includes(text) ? { value: text } : { expected });
  }
  if (type === "boolean") {
    return (text) => (text === "true" || text === "false" ? { value: text === "true" } : { expected: "true or false" });
  }
  if (type === "integer") {
    const { minimum = Number.MIN_SAFE_INTEGER, maximum = Number.MAX_SAFE_INTEGER } = schema as Partial<
      Record<"minimum" | "maximum", number>
    >;
    const expected = `a whole number from ${minimum} to ${maximum}`;
    return (text) => {
      const value = /^-?\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
      return value >= minimum && value <= maximum ? { value } : { expected };
    };
  }
  const {
    minLength = 0,
    maxLength = Number.POSITIVE_INFINITY,
    pattern,
  } = schema as {
    minLength?: number;
    maxLength?: number;
    pattern?: string;
  };
  const expression = pattern === undefined ? undefined : new RegExp(pattern, "u");
  const expected =
    expression === undefined
      ? `text of ${minLength} to ${maxLength} characters`
      : `text that matches ${expression.source}`;
  return (text) => {
    if (text.length < minLength || text.length > maxLength || expression?.test(text) === false) return { expected };
    return { value: text };
  };
}
