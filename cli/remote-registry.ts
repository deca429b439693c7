/** A client for registries that support the Confluent API; failed requests are retried. */
import { setTimeout } from "node:timers/promises";
import { type Address, networkProblem } from "./address.ts";
import { EXIT } from "./exit-codes.ts";
import type { Shell } from "./shell.ts";

export type RemoteVersion = {
  subject: string;
  version: number;
  id: number;
  schemaType: string;
  schema: string;
  deleted: boolean;
  references?: { name: string; subject: string; version: number }[];
  metadata?: unknown;
  ruleSet?: unknown;
};

const ATTEMPTS = 5;
const PAUSE_MS = 300;
/** Page size when looking for aliases. */
const PAGE_SCHEMAS = 500;
/** The characters that an error message quotes from a response that is not JSON. */
const SHOWN_CHARACTERS = 80;

/** An unexpected response from the registry, or none: then the status is undefined. */
export class RegistryRefusal extends Error {
  readonly status: number | undefined;

  constructor(message: string, status?: number) {
    super(message);
    this.status = status;
  }

  /** As in other commands, except that a refused version is the answer "no". */
  get exitCode(): number {
    if (this.status === 401 || this.status === 403) return EXIT.notAllowed;
    return this.status === undefined || isGatewayStatus(this.status) ? EXIT.unreachable : EXIT.no;
  }
}

function isGatewayStatus(status: number): boolean {
  return status >= 502 && status <= 504;
}

type Network = Pick<Shell, "fetch" | "signal">;

export type RemoteRegistry = ReturnType<typeof openRegistry>;

type Answered = { status: number; body: unknown };

type Sender = (method: string, path: string, body?: unknown) => Promise<Answered>;

/** Sends requests, and retries if the registry is unreachable or overloaded. */
function senderTo({ url, headers }: Address, { fetch, signal }: Network): Sender {
  return async (method, path, body) => {
    const init = {
      method,
      signal,
      headers: { ...headers, ...(body === undefined ? {} : { "Content-Type": "application/json" }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    };
    for (let attempt = 1; ; attempt += 1) {
      const answer = await answerOf(fetch, url + path, init);
      signal.throwIfAborted();
      if ("status" in answer && answer.status < 500 && answer.status !== 429) return answer;
      if (attempt === ATTEMPTS) {
        const [why, status] =
          "status" in answer ? [`answers ${answer.status}: ${messageOf(answer)}`, answer.status] : [answer.lost];
        throw new RegistryRefusal(`${method} ${url}${path} failed: ${why}`, status);
      }
      await setTimeout(PAUSE_MS * attempt, undefined, { signal });
    }
  };
}

/** Throws unless the server is a registry: a proxy's page or another service would look like an empty registry. */
async function requireRegistry(url: string, send: Sender): Promise<void> {
  const config = await send("GET", "/config");
  const { compatibilityLevel } = (config.body ?? {}) as { compatibilityLevel?: unknown };
  if (config.status === 401 || config.status === 403) {
    throw new RegistryRefusal(
      `${url} answered ${config.status}: add user:password@ to the URL, or a header such as "Authorization: Bearer …".`,
      config.status,
    );
  }
  if (config.status !== 200 || typeof compatibilityLevel !== "string") {
    throw new RegistryRefusal(
      `${url} is not a schema registry: GET /config answered ${config.status} ${messageOf(config)}`,
      config.status,
    );
  }
}

export function openRegistry(address: Address, network: Network) {
  const { url } = address;
  const send = senderTo(address, network);

  /** The body of a successful response; undefined for 404. */
  const request = async (method: string, path: string, body?: unknown): Promise<unknown> => {
    const answer = await send(method, path, body);
    if (answer.status === 404) return undefined;
    if (answer.status < 400) return answer.body;
    throw new RegistryRefusal(`${method} ${url}${path} answered ${answer.status}: ${messageOf(answer)}`, answer.status);
  };

  const list = async <T>(path: string): Promise<T[]> => ((await request("GET", path)) ?? []) as T[];

  return {
    url,
    get: (path: string) => request("GET", path) as Promise<object | undefined>,
    put: (path: string, body: object) => request("PUT", path, body),
    delete: (path: string) => request("DELETE", path),
    requireRegistry: () => requireRegistry(url, send),
    /** Releases before 6 have only the default context. */
    async contexts(): Promise<string[]> {
      return ((await request("GET", "/contexts")) as string[] | undefined) ?? ["."];
    },
    /** Qualified names, including soft-deleted ones. */
    async subjects(context: string): Promise<string[]> {
      const prefix = encodeURIComponent(`:${context}:`);
      return list<string>(`/subjects?deleted=true&subjectPrefix=${prefix}`);
    },
    /** Aliases: names with a config but no versions. */
    async aliases(context: string): Promise<string[]> {
      const prefix = encodeURIComponent(`:${context}:`);
      const found = new Set<string>();
      for (let offset = 0; ; offset += PAGE_SCHEMAS) {
        const page = await list<{ aliases?: string[] }>(
          `/schemas?aliases=true&latestOnly=true&subjectPrefix=${prefix}&offset=${offset}&limit=${PAGE_SCHEMAS}`,
        );
        for (const { aliases = [] } of page) for (const alias of aliases) found.add(alias);
        if (page.length < PAGE_SCHEMAS) return [...found];
      }
    },
    versions: (subject: string) => list<number>(`/subjects/${encodeURIComponent(subject)}/versions?deleted=true`),
    async version(subject: string, version: number): Promise<RemoteVersion | undefined> {
      const found = (await request("GET", `${versionPath({ subject, version })}?deleted=true`)) as
        | Partial<RemoteVersion>
        | undefined;
      // A missing unqualified name is looked up in other contexts, which finds a different subject.
      if (!found || found.subject !== subject) return undefined;
      // Releases before 8 omit the type of Avro schemas and the deleted flag.
      const deleted = found.deleted ?? !(await this.isLive(subject, version));
      return { ...(found as RemoteVersion), schemaType: found.schemaType ?? "AVRO", deleted };
    },
    async isLive(subject: string, version: number): Promise<boolean> {
      return (await request("GET", versionPath({ subject, version }))) !== undefined;
    },
    async register({ subject, version, id, schemaType, schema, references, metadata, ruleSet }: RemoteVersion) {
      const body = { version, id, schemaType, schema, references, metadata, ruleSet };
      await request("POST", `/subjects/${encodeURIComponent(subject)}/versions`, body);
    },
  };
}

export function versionPath({ subject, version }: { subject: string; version: number }): string {
  return `/subjects/${encodeURIComponent(subject)}/versions/${version}`;
}

function messageOf({ body }: Answered): string {
  const { message } = (body ?? {}) as { message?: string };
  if (message !== undefined) return message;
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text;
}

async function answerOf(fetch: Network["fetch"], url: string, init: RequestInit): Promise<Answered | { lost: string }> {
  try {
    const response = await fetch(url, init);
    const text = await response.text();
    return { status: response.status, body: text === "" ? null : jsonOrText(text) };
  } catch (error) {
    return { lost: networkProblem(error) };
  }
}

function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
