/** Renders the OpenAPI document as one self-contained page without scripts. */
import { createHash } from "node:crypto";
import { ERRORS } from "../../contract/errors.ts";
import openapi from "../../contract/openapi.json";
import type { Answer } from "./answer.ts";
import { exampleRequest, exampleResponse } from "./docs-examples.ts";
import { PROBLEM_HELP } from "./problem-help.ts";

type Schema = Readonly<Record<string, unknown>> & { $ref?: string; description?: string };
type Parameter = {
  name: string;
  in: string;
  required?: boolean;
  description?: string;
  schema: Schema;
  example?: unknown;
};
type Response = { description: string; content?: Record<string, { schema: Schema }> };
type Operation = {
  operationId: string;
  tags: string[];
  summary: string;
  description?: string;
  parameters?: (Parameter | Ref)[];
  requestBody?: { content: Record<string, { schema: Schema }> };
  responses: Record<string, Response | Ref>;
};
type Ref = { $ref: string };
type Document = {
  info: { title: string; version: string; summary: string; description: string };
  servers: { url: string }[];
  tags: { name: string; description: string }[];
  paths: Record<string, Record<string, unknown> & { parameters?: (Parameter | Ref)[] }>;
  components: {
    parameters: Record<string, Parameter>;
    responses: Record<string, Response>;
    schemas: Record<string, Schema>;
  };
};

const DOCUMENT = openapi as unknown as Document;
const METHODS = ["get", "post", "put", "patch", "delete"] as const;

export function docsPage(): Answer {
  const { info, tags, components, servers } = DOCUMENT;
  const operations = operationsInOrder();
  const body = [
    `<header><h1>${escaped(info.title)} <small>${escaped(info.version)}</small></h1><p class="lead">${escaped(info.summary)}</p>`,
    `<p>Paths are under <code>${escaped(servers[0]!.url)}</code>. The OpenAPI document: <a href="/openapi.json">/openapi.json</a>. The Confluent API, at the root, has its own: <a href="/openapi/confluent.json">/openapi/confluent.json</a>.</p></header>`,
    `<nav aria-label="Contents"><ul>${tags.map(({ name }) => navigation(name, operations)).join("")}`,
    `<li><a href="#schemas-list">Types</a></li><li><a href="#problems">Problems</a></li></ul></nav>`,
    `<main><section>${prose(info.description)}</section>`,
    ...tags.map((tag) => tagSection(tag, operations)),
    `<section id="schemas-list"><h2>Types</h2>${Object.entries(components.schemas).map(shapeSection).join("")}</section>`,
    `<section id="problems"><h2>Problems</h2><p>Errors are <code>application/problem+json</code>; <code>code</code> is stable.</p>${problemTable()}</section>`,
    "</main>",
  ].join("\n");
  const html = `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>${escaped(info.title)}: API</title><style>${STYLE}</style></head><body>${body}</body></html>`;
  return {
    status: 200,
    headers: {
      "Content-Type": "text/html; charset=utf-8",
      "Cache-Control": "public, max-age=300",
      "Content-Security-Policy": `default-src 'none'; style-src 'sha256-${createHash("sha256").update(STYLE).digest("base64")}'; frame-ancestors 'none'`,
    },
    body: html,
  };
}

type Placed = { path: string; method: string; operation: Operation; shared: (Parameter | Ref)[] };

function operationsInOrder(): Placed[] {
  return Object.entries(DOCUMENT.paths).flatMap(([path, item]) =>
    METHODS.flatMap((method) => {
      const operation = item[method] as Operation | undefined;
      return operation ? [{ path, method, operation, shared: item.parameters ?? [] }] : [];
    }),
  );
}

function navigation(tag: string, operations: readonly Placed[]): string {
  const own = operations.filter(({ operation }) => operation.tags.includes(tag));
  const links = own.map(
    ({ path, method, operation }) =>
      `<li><a href="#${operation.operationId}"><b class="${method}">${method.toUpperCase()}</b> ${escaped(path)}</a></li>`,
  );
  return `<li><a href="#tag-${tag}">${escaped(tag)}</a><ul>${links.join("")}</ul></li>`;
}

function tagSection({ name, description }: Document["tags"][number], operations: readonly Placed[]): string {
  const own = operations.filter(({ operation }) => operation.tags.includes(name));
  return `<section id="tag-${name}"><h2>${escaped(name)}</h2><p>${inline(description)}</p>${own.map(operationSection).join("")}</section>`;
}

function operationSection({ path, method, operation, shared }: Placed): string {
  const parameters = [...shared, ...(operation.parameters ?? [])].map(resolveParameter);
  const body = operation.requestBody?.content["application/json"]?.schema;
  const source = {
    method: method.toUpperCase(),
    path: DOCUMENT.servers[0]!.url + path,
    parameters,
    requestContent: operation.requestBody?.content,
    responses: Object.fromEntries(
      Object.entries(operation.responses).map(([status, response]) => [status, resolveResponse(response)]),
    ),
    schemas: DOCUMENT.components.schemas,
  };
  return `<article id="${operation.operationId}"><h3><b class="${method}">${method.toUpperCase()}</b> <code>${escaped(path)}</code></h3>
<p><strong>${inline(operation.summary)}</strong></p>${operation.description ? prose(operation.description) : ""}
${parameters.length > 0 ? parameterTable(parameters) : ""}
${body ? `<h4>Body</h4><p>${typeText(body)}</p>` : ""}
<h4>Responses</h4><table><tbody>${Object.entries(operation.responses).map(responseRow).join("")}</tbody></table>
<h4>Example</h4><pre>${escaped(exampleRequest(source))}</pre><pre>${escaped(exampleResponse(source))}</pre></article>`;
}

function parameterTable(parameters: readonly Parameter[]): string {
  const rows = parameters.map(
    ({ name, in: place, required, description, schema }) =>
      `<tr><th scope="row"><code>${escaped(name)}</code></th><td>${place}${required ? ", required" : ""}</td><td>${typeText(schema)}</td><td>${description ? inline(description) : ""}</td></tr>`,
  );
  return `<h4>Parameters</h4><table><tbody>${rows.join("")}</tbody></table>`;
}

function responseRow([status, response]: [string, Response | Ref]): string {
  const { description, content } = resolveResponse(response);
  const types = Object.entries(content ?? {}).map(
    ([type, { schema }]) => `<code>${escaped(type)}</code> ${typeText(schema)}`,
  );
  return `<tr><th scope="row">${escaped(status)}</th><td>${inline(description)}</td><td>${types.join("<br>")}</td></tr>`;
}

function resolveResponse(response: Response | Ref): Response {
  return "$ref" in response ? DOCUMENT.components.responses[nameOf(response.$ref)]! : response;
}

function shapeSection([name, schema]: [string, Schema]): string {
  const properties = Object.entries((schema.properties ?? {}) as Record<string, Schema>);
  const required = (schema.required ?? []) as readonly string[];
  const rows = properties.map(
    ([field, value]) =>
      `<tr><th scope="row"><code>${escaped(field)}</code></th><td>${required.includes(field) ? "required" : ""}</td><td>${typeText(value)}</td><td>${value.description ? inline(value.description) : ""}</td></tr>`,
  );
  const description = schema.description ? `<p>${inline(schema.description)}</p>` : "";
  const detail = rows.length > 0 ? `<table><tbody>${rows.join("")}</tbody></table>` : `<p>${typeText(schema)}</p>`;
  return `<article id="schema-${name}"><h3>${escaped(name)}</h3>${description}${detail}</article>`;
}

/** A short rendering of a schema, with links to the types it names. */
function typeText(schema: Schema): string {
  if (schema.$ref) {
    const name = nameOf(schema.$ref);
    return `<a href="#schema-${name}">${escaped(name)}</a>`;
  }
  if (Array.isArray(schema.anyOf)) return (schema.anyOf as Schema[]).map(typeText).join(" or ");
  if (Array.isArray(schema.enum)) return schema.enum.map((value) => `<code>${escaped(String(value))}</code>`).join(" ");
  if (schema.const !== undefined) return `<code>${escaped(String(schema.const))}</code>`;
  if (schema.type === "array") return `array of ${typeText(schema.items as Schema)}`;
  const type = Array.isArray(schema.type) ? schema.type.join(" or ") : String(schema.type ?? "any JSON value");
  const bounds = ["format", "minimum", "maximum", "minLength", "maxLength", "maxItems", "default"]
    .filter((key) => schema[key] !== undefined)
    .map((key) => `${key} ${String(schema[key])}`);
  if (schema.type === "object" && schema.properties) {
    const fields = Object.entries(schema.properties as Record<string, Schema>);
    return `{ ${fields.map(([field, value]) => `<code>${escaped(field)}</code>: ${typeText(value)}`).join(", ")} }`;
  }
  return escaped(bounds.length > 0 ? `${type} (${bounds.join(", ")})` : type);
}

function problemTable(): string {
  const byCode = new Map<string, { status: number; titles: Set<string> }[]>();
  for (const { code, status, title } of Object.values(ERRORS)) {
    const entries = byCode.get(code) ?? [];
    const entry = entries.find((known) => known.status === status);
    if (entry) entry.titles.add(title);
    else entries.push({ status, titles: new Set([title]) });
    byCode.set(code, entries);
  }
  const rows = [...byCode].map(([code, entries]) => {
    const titles = entries.map(({ status, titles: said }) => `${status}: ${escaped([...said].join(" · "))}`);
    const { meaning, fix } = PROBLEM_HELP[code]!;
    return `<tr id="problem-${code}"><th scope="row"><code>${code}</code></th><td>${titles.join("<br>")}</td><td>${inline(meaning)}</td><td>${inline(fix)}</td></tr>`;
  });
  const head = "<thead><tr><th>Code</th><th>Status</th><th>Meaning</th><th>What to do</th></tr></thead>";
  return `<table>${head}<tbody>${rows.join("")}</tbody></table>`;
}

function resolveParameter(parameter: Parameter | Ref): Parameter {
  return "$ref" in parameter ? DOCUMENT.components.parameters[nameOf(parameter.$ref)]! : parameter;
}

function nameOf(reference: string): string {
  return reference.slice(reference.lastIndexOf("/") + 1);
}

/** Paragraphs are separated by an empty line. */
function prose(text: string): string {
  return text
    .trim()
    .split(/\n\s*\n/)
    .map((paragraph) => `<p>${inline(paragraph)}</p>`)
    .join("");
}

function inline(text: string): string {
  return escaped(text)
    .replaceAll(/`([^`]+)`/g, "<code>$1</code>")
    .replaceAll(/\*\*([^*]+)\*\*/g, "<strong>$1</strong>");
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}

const STYLE = `
:root{color-scheme:light dark;--ink:#1d2430;--soft:#5b6675;--line:#d9dee6;--ground:#fff;--panel:#f6f8fa;--link:#1355b8}
@media(prefers-color-scheme:dark){:root{--ink:#e4e8ee;--soft:#a2adbb;--line:#343c48;--ground:#14181e;--panel:#1c222b;--link:#7fb2ff}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);font:16px/1.55 system-ui,sans-serif;display:grid;grid-template-columns:20rem minmax(0,1fr);grid-template-areas:"h h" "n m"}
header{grid-area:h;padding:1.5rem 2rem;border-bottom:1px solid var(--line)}
h1{margin:0;font-size:1.6rem}h1 small{color:var(--soft);font-weight:400}.lead{margin:.25rem 0;color:var(--soft)}
nav{grid-area:n;position:sticky;top:0;align-self:start;max-height:100vh;overflow:auto;padding:1rem 1rem 2rem 2rem;border-right:1px solid var(--line);font-size:.82rem}
nav ul{list-style:none;margin:0;padding:0}nav>ul>li{margin:.6rem 0}nav>ul>li>a{font-weight:600;text-transform:capitalize}nav ul ul a{overflow-wrap:anywhere}
main{grid-area:m;padding:1rem 2rem 4rem;max-width:62rem}
a{color:var(--link);text-decoration:none}a:hover,a:focus{text-decoration:underline}
h2{text-transform:capitalize;margin-top:2.5rem;border-bottom:1px solid var(--line)}
article{margin:1.5rem 0;padding:1rem 1.25rem;border:1px solid var(--line);border-radius:8px;scroll-margin-top:1rem}
article h3{margin:0 0 .5rem;font-size:1.05rem;overflow-wrap:anywhere}article h4{margin:1rem 0 .25rem;font-size:.85rem;color:var(--soft)}
code{background:var(--panel);border-radius:4px;padding:.1em .3em;font:.88em ui-monospace,monospace;overflow-wrap:anywhere}
pre{background:var(--panel);border-radius:6px;padding:.6rem .8rem;overflow:auto;font:.82rem/1.45 ui-monospace,monospace}
table{width:100%;border-collapse:collapse;font-size:.88rem}td,th{text-align:left;vertical-align:top;padding:.35rem .6rem .35rem 0;border-top:1px solid var(--line)}th{white-space:nowrap;font-weight:500}
tr:target,article:target{outline:2px solid var(--link);outline-offset:2px}
b.get,b.post,b.put,b.patch,b.delete{font:600 .72rem ui-monospace,monospace;padding:.15em .45em;border-radius:4px;color:#fff;background:#2563a8}
b.post{background:#24774a}b.put,b.patch{background:#8a5a00}b.delete{background:#a8322d}
@media(max-width:60rem){body{display:block}nav{position:static;max-height:none;border:0;padding:1rem 2rem}table,tbody,tr,td,th{display:block;white-space:normal}td,th{padding:.15rem 0;border:0}tr{border-top:1px solid var(--line);padding:.35rem 0}}
`;
