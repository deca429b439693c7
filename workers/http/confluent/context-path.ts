/** `/contexts/{c}/…`: rewritten to the plain path with qualified names before it is routed. */

const CONTEXTS = "/contexts/";

/** Path prefixes outside the Confluent API, whose routes would ignore a context in the path. */
const OUTSIDE_CONTEXTS = new Set(["api", "docs", "health", "metrics", "openapi", "openapi.json"]);

type ContextPath = { prefix: string; rest: string };

/** The path to route. A path with an invalid context is left as it is; its route refuses it. */
export function pathInContext(path: string): string {
  const found = parseContextPath(path);
  if (!found) return path;
  const { prefix, rest } = found;
  const [noun = "", ...more] = rest.split("/");
  if (OUTSIDE_CONTEXTS.has(noun)) return path;
  if ((noun === "config" || noun === "mode") && more.length === 0) return `/${noun}/${encodeURIComponent(prefix)}`;
  const at = SUBJECT_POSITIONS.find(({ before }) => rest.startsWith(before));
  if (!at) return `/${rest}`;
  const [subject = "", ...after] = rest.slice(at.before.length).split("/");
  if (subject === "") return `/${rest}`;
  return `/${[at.before + qualified(prefix, subject), ...after].join("/")}`;
}

/** The query for that path: restricts lists and ids to the context. */
export function searchInContext(path: string, method: string, search: string): string {
  const found = parseContextPath(path);
  if (!found) return search;
  const name = scopingParameter(found.rest, method);
  if (name === undefined) return search;
  const parameters = new URLSearchParams(search);
  const given = parameters.get(name) ?? "";
  if (!isQualified(given)) parameters.set(name, found.prefix + given);
  return parameters.toString();
}

/** The reason a path under `/contexts/` could not be rewritten, or undefined. */
export function contextPathProblem(path: string): string | undefined {
  if (!path.startsWith(CONTEXTS)) return undefined;
  const [segment = ""] = path.slice(CONTEXTS.length).split("/");
  const name = decoded(segment);
  return name !== undefined && parsePathContext(name) === undefined
    ? `Context name '${name}' cannot contain a colon`
    : undefined;
}

/** `ctx`, `.ctx` and `:.ctx:` all name the context `.ctx`; undefined if the name itself contains a colon. */
export function parsePathContext(text: string): string | undefined {
  const bare = /^:(\..*):$/s.exec(text)?.[1] ?? text;
  if (bare.includes(":")) return undefined;
  return bare.startsWith(".") ? bare : `.${bare}`;
}

const SUBJECT_POSITIONS = [
  { before: "subjects/" },
  { before: "config/" },
  { before: "mode/" },
  { before: "compatibility/subjects/" },
  { before: "associations/subjects/" },
];

function parseContextPath(path: string): ContextPath | undefined {
  if (!path.startsWith(CONTEXTS)) return undefined;
  const end = path.indexOf("/", CONTEXTS.length);
  if (end === -1) return undefined;
  const name = decoded(path.slice(CONTEXTS.length, end));
  const context = name === undefined || name === "" ? undefined : parsePathContext(name);
  return context === undefined ? undefined : { prefix: `:${context}:`, rest: path.slice(end + 1) };
}

function scopingParameter(rest: string, method: string): string | undefined {
  if (rest.startsWith("schemas/ids/")) return "subject";
  if (rest === "schemas" || rest === "subjects") return "subjectPrefix";
  const writes = method === "POST" || method === "PUT";
  return writes && rest.startsWith("associations") ? "context" : undefined;
}

function qualified(prefix: string, segment: string): string {
  const subject = decoded(segment);
  return subject === undefined || isQualified(subject) ? segment : encodeURIComponent(prefix) + segment;
}

function isQualified(text: string): boolean {
  return text.startsWith(":.") || text.startsWith(":*:");
}

function decoded(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}
