/** Sends generated requests to one empty registry, and checks what holds for every answer. */
import { env } from "cloudflare:workers";
import openapi from "../../../contract/openapi.json";
import { openPrimary } from "../../../durable-objects/primary/client.ts";
import type { Bindings } from "../../../workers/edge.ts";
import { pathInContext } from "../../../workers/http/confluent/context-path.ts";
import { CONFLUENT_ANSWERS, confluentProblems } from "../../support/confluent-contract.ts";
import { DocumentedAnswers, type DocumentedOperation } from "../../support/documented-answers.ts";
import { type Platform, plainPlatform } from "../../support/platform.ts";
import type { FuzzRequest } from "./requests.ts";
import { Earlier } from "./schema-values.ts";

const HOST = "https://registry.test";
const NATIVE_PREFIX = openapi.servers[0]!.url;
const NATIVE_ANSWERS = new DocumentedAnswers(openapi, [NATIVE_PREFIX, ""]);
/** A part that the deployment lacks, such as search without a database; declared where it may happen. */
const NOT_CONFIGURED = 501;
const KEPT_STEPS = 12;
const MAX_SHOWN = 1_500;

/** Members of answers that later requests reuse. */
const REUSED = new Set(["subject", "version", "guid", "confluent_id", "change_set_id", "resourceId"]);

type Sent = { method: string; path: string; headers: Headers; body: string | Uint8Array | undefined };
type Answered = { status: number; headers: Headers; text: string };

/** What was sent and answered over all sessions: what went wrong, and whether requests are not all refused. */
export class Findings {
  /** The first of each kind, with the requests that led there. */
  readonly problems = new Map<string, string>();
  sent = 0;
  readonly accepted = new Set<string>();
  readonly statuses = new Map<number, number>();

  count(operationId: string, status: number): void {
    this.sent += 1;
    this.statuses.set(status, (this.statuses.get(status) ?? 0) + 1);
    if (status < 400) this.accepted.add(operationId);
  }

  add(operationId: string, problem: string, story: string): void {
    const kind = `${operationId} ${problem.replaceAll(/[\d".:{}]+/g, "").slice(0, 80)}`;
    if (!this.problems.has(kind)) this.problems.set(kind, `${problem}\n${story}`);
  }
}

export class Session {
  readonly #platform: Platform = plainPlatform({ env: env as unknown as Bindings });
  readonly #earlier = new Map<string, unknown[]>();
  readonly #transcript: string[] = [];
  readonly #findings: Findings;
  #head = "";

  constructor(findings: Findings) {
    this.#findings = findings;
  }

  /** Sends one request, and notes what is not as documented. */
  async step(request: FuzzRequest): Promise<void> {
    if (this.#head === "") this.#head = await this.#readHead();
    const sent = this.#resolve(request);
    const answered = await this.#send(sent);
    const { status, text } = answered;
    this.#transcript.push(`${status} ${described(sent)}`);
    this.#findings.count(request.operationId, status);
    const head = await this.#readHead();
    const problems = documentProblems(sent, answered);
    if (/\n\s+at .*:\d+:\d+/.test(text)) problems.push("the answer holds a stack trace");
    const mayChange = status < 400 && !["GET", "HEAD", "OPTIONS"].includes(sent.method);
    if (!mayChange && head !== this.#head) problems.push(`the log went from ${this.#head} to ${head}`);
    this.#head = head;
    for (const problem of problems) {
      const steps = this.#transcript.slice(-KEPT_STEPS).join("\n");
      this.#findings.add(request.operationId, problem, `answer: ${text.slice(0, MAX_SHOWN)}\nafter:\n${steps}`);
    }
    if (status < 400) this.#harvest(sent.path, answered);
  }

  async #readHead(): Promise<string> {
    const { tenant } = this.#platform;
    const answer = await openPrimary(env as unknown as Bindings, tenant).read("head", {});
    if (!answer.ok) throw new Error(`The log's head cannot be read: ${answer.refusal.detail}`);
    return JSON.stringify(answer.value.asOf);
  }

  #resolve({ method, path, parameters, query, headers, body }: FuzzRequest): Sent {
    const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
      encoded(textOf(this.#known(parameters[name]), name === "path" || name === "tile")),
    );
    const search = query.map(([name, value]) => `${encoded(name)}=${encoded(textOf(this.#known(value)))}`).join("&");
    const sentBody = body === undefined || method === "GET" || method === "HEAD" ? undefined : this.#bodyOf(body);
    return {
      method,
      path: search === "" ? filled : `${filled}?${search}`,
      headers: headersOf(
        { ...(body !== undefined && "json" in body ? { "Content-Type": "application/json" } : {}), ...headers },
        (value) => textOf(this.#known(value)),
      ),
      body: sentBody,
    };
  }

  #bodyOf(body: NonNullable<FuzzRequest["body"]>): string | Uint8Array {
    return "bytes" in body ? body.bytes : JSON.stringify(this.#known(body.json) ?? null);
  }

  /** The value with everything from earlier answers filled in. */
  #known(value: unknown): unknown {
    if (value instanceof Earlier) {
      const known = this.#earlier.get(value.kind) ?? [];
      return known.length === 0 ? `unknown-${value.kind}` : known[value.pick % known.length];
    }
    if (Array.isArray(value)) return value.map((item) => this.#known(item));
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, this.#known(member)]));
  }

  async #send({ method, path, headers, body }: Sent): Promise<Answered> {
    const response = await this.#platform.fetch(HOST + path, {
      method,
      headers,
      ...(body === undefined ? {} : { body: body as BodyInit }),
    });
    const { status } = response;
    response.webSocket?.accept();
    response.webSocket?.close();
    // A stream of events has no end.
    if (response.headers.get("Content-Type")?.startsWith("text/event-stream") && status === 200) {
      await response.body?.cancel();
      return { status, headers: response.headers, text: "" };
    }
    return { status, headers: response.headers, text: new TextDecoder().decode(await response.arrayBuffer()) };
  }

  #harvest(path: string, { headers, text }: Answered): void {
    this.#keep("token", headers.get("X-Registry-Seq"));
    this.#keep("etag", headers.get("ETag"));
    const value = parsed(text);
    const [collection = ""] = path.replace(NATIVE_PREFIX, "").split(/[/?]/).filter(Boolean);
    this.#harvestFrom(value, collection);
  }

  #harvestFrom(value: unknown, collection: string): void {
    if (typeof value !== "object" || value === null) return;
    for (const [name, member] of Object.entries(value)) {
      if (REUSED.has(name)) this.#keep(name, member);
      else if (name === "id") {
        this.#keep(collection === "schemas" || collection === "subjects" ? "id" : collection, member);
      } else if (name === "next_cursor") this.#keep("cursor", member);
      else this.#harvestFrom(member, collection);
    }
  }

  #keep(kind: string, value: unknown): void {
    if (typeof value !== "string" && typeof value !== "number") return;
    const known = this.#earlier.get(kind) ?? [];
    if (!known.includes(value)) this.#earlier.set(kind, [...known, value]);
  }
}

function documentProblems({ method, path }: Sent, answered: Answered): string[] {
  const { status } = answered;
  // As the URL parser normalises it.
  const { pathname } = new URL(HOST + path);
  const isNative = pathname === NATIVE_PREFIX || pathname.startsWith(`${NATIVE_PREFIX}/`);
  const hasBody = method !== "OPTIONS" && method !== "HEAD";
  // HEAD is answered as GET is, without the body.
  const documented = method === "HEAD" ? "GET" : method;
  const operation = isNative
    ? NATIVE_ANSWERS.operationAt(documented, pathname)
    : CONFLUENT_ANSWERS.operationAt(documented, pathInContext(pathname));
  if (status >= 500 && !declaresNotConfigured(operation, status)) return [`a failure of the server: ${status}`];
  if (!hasBody) return [];
  if (!isNative) return confluentProblems(method, pathname, answered);
  if (operation === undefined) return status >= 400 ? [] : [`${method} ${pathname} is not documented`];
  return answered.headers.get("Content-Type")?.startsWith("text/event-stream")
    ? []
    : NATIVE_ANSWERS.problems(operation, answered);
}

function declaresNotConfigured(operation: DocumentedOperation | undefined, status: number): boolean {
  return status === NOT_CONFIGURED && operation !== undefined && String(NOT_CONFIGURED) in operation.responses;
}

/** Headers that HTTP allows to be sent; the others are left out. */
function headersOf(given: Readonly<Record<string, unknown>>, print: (value: unknown) => string): Headers {
  const headers = new Headers();
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined) continue;
    try {
      headers.set(name, print(value));
    } catch {
      // No client can send this.
    }
  }
  return headers;
}

function textOf(value: unknown, spansSegments = false): string {
  const text = typeof value === "string" ? value : JSON.stringify(value ?? "");
  return spansSegments ? text : text.toWellFormed();
}

function encoded(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}

function described({ method, path, headers, body }: Sent): string {
  const shown =
    body === undefined ? "" : typeof body === "string" ? body : `bytes ${[...body].slice(0, 100).join(" ")}`;
  return `${method} ${path.slice(0, MAX_SHOWN)} ${JSON.stringify(Object.fromEntries(headers))} ${shown.slice(0, MAX_SHOWN)}`;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
