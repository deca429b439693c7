/** A registry that speaks the Confluent API, seen from outside; requests that are lost on the way are repeated. */

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

/** The registry answered, and not what was hoped for. */
export class RegistryRefusal extends Error {}

export type RemoteRegistry = ReturnType<typeof openRegistry>;

/** `headers` are `Name: value`. */
export function openRegistry(url: string, headers: readonly string[]) {
  const base = url.replace(/\/+$/, "");
  const sent = Object.fromEntries(
    headers.map((header) => {
      const colon = header.indexOf(":");
      return [header.slice(0, colon).trim(), header.slice(colon + 1).trim()];
    }),
  );

  const send = async (method: string, path: string, body?: unknown): Promise<{ status: number; body: unknown }> => {
    const init = {
      method,
      headers: { ...sent, ...(body === undefined ? {} : { "Content-Type": "application/json" }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    };
    for (let attempt = 1; ; attempt += 1) {
      const answer = await answerOf(base + path, init);
      if ("status" in answer && answer.status < 500) return answer;
      if (attempt === ATTEMPTS) {
        throw new RegistryRefusal(`${method} ${base}${path} gives no answer: ${JSON.stringify(answer)}`);
      }
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS * attempt));
    }
  };

  /** The body of a success; undefined where there is nothing. */
  const request = async (method: string, path: string, body?: unknown): Promise<unknown> => {
    const answer = await send(method, path, body);
    if (answer.status === 404) return undefined;
    if (answer.status >= 400) {
      const { message } = answer.body as { message?: string };
      throw new RegistryRefusal(`${method} ${base}${path} gives ${answer.status}: ${message ?? ""}`);
    }
    return answer.body;
  };

  const list = async <T>(path: string): Promise<T[]> => ((await request("GET", path)) ?? []) as T[];

  return {
    get: (path: string) => request("GET", path) as Promise<object | undefined>,
    put: (path: string, body: object) => request("PUT", path, body),
    delete: (path: string) => request("DELETE", path),
    contexts: () => list<string>("/contexts"),
    /** Qualified, soft-deleted ones included. */
    async subjects(context: string): Promise<string[]> {
      const prefix = encodeURIComponent(`:${context}:`);
      return list<string>(`/subjects?deleted=true&subjectPrefix=${prefix}`);
    },
    versions: (subject: string) => list<number>(`/subjects/${encodeURIComponent(subject)}/versions?deleted=true`),
    async version(subject: string, version: number): Promise<RemoteVersion | undefined> {
      const found = (await request("GET", `${versionPath({ subject, version })}?deleted=true`)) as
        | Partial<RemoteVersion>
        | undefined;
      // An unqualified name that is not there is looked for in other contexts: that is another subject.
      if (!found || found.subject !== subject) return undefined;
      // Releases before 8 name neither the type of Avro schemas nor whether a version is deleted.
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

async function answerOf(url: string, init: RequestInit): Promise<{ status: number; body: unknown } | { lost: string }> {
  try {
    const response = await fetch(url, init);
    const text = await response.text();
    return { status: response.status, body: text === "" ? null : (JSON.parse(text) as unknown) };
  } catch (error) {
    return { lost: String((error as Error).cause ?? error) };
  }
}
