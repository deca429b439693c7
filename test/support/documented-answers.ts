/** Compares answers with what an OpenAPI document declares: status, media type, headers and body. */
import { type ContractSchema, compileBodyCheck } from "../../workers/http/request-schema.ts";

type ResponseObject = {
  content?: Readonly<Record<string, { schema: ContractSchema }>>;
  headers?: Readonly<Record<string, unknown>>;
};
type Ref = { $ref: string };
export type DocumentedOperation = {
  operationId: string;
  responses: Readonly<Record<string, ResponseObject | Ref>>;
};
type Document = {
  servers: readonly { url: string }[];
  paths: Readonly<Record<string, unknown>>;
  components: { schemas: Readonly<Record<string, unknown>>; responses: Readonly<Record<string, unknown>> };
};
export type AnswerToCheck = { status: number; headers: Headers; text: string };

const METHODS = ["get", "post", "put", "patch", "delete"] as const;

export class DocumentedAnswers {
  readonly #document: Document;
  readonly #operations: readonly { method: string; pattern: RegExp; operation: DocumentedOperation }[];
  readonly #checks = new Map<string, ReturnType<typeof compileBodyCheck>>();

  constructor(document: Document, servers: readonly string[] = document.servers.map(({ url }) => url)) {
    this.#document = document;
    this.#operations = Object.entries(document.paths)
      // A literal segment comes before a parameter, as in the router.
      .sort(([a], [b]) => parametersIn(a) - parametersIn(b))
      .flatMap(([path, item]) =>
        METHODS.flatMap((method) => {
          const operation = (item as Record<string, DocumentedOperation | undefined>)[method];
          return operation === undefined
            ? []
            : [{ method: method.toUpperCase(), pattern: patternOf(path, item, servers), operation }];
        }),
      );
  }

  /** The operation that a request is sent to; `path` is as sent. */
  operationAt(method: string, path: string): DocumentedOperation | undefined {
    const pathname = path.split("?", 1)[0]!;
    return this.#operations.find((known) => known.method === method && known.pattern.test(pathname))?.operation;
  }

  /** How the answer differs from what the operation declares. */
  problems(operation: DocumentedOperation, { status, headers, text }: AnswerToCheck): string[] {
    const { operationId, responses } = operation;
    const declared = responses[String(status)] ?? (status >= 400 ? responses.default : undefined);
    if (declared === undefined) return [`${operationId} does not document status ${status}: ${text.slice(0, 500)}`];
    const { content } = this.#resolved(declared);
    if (content === undefined) return text === "" ? [] : [`${operationId} documents no body for ${status}`];
    const mediaType = headers.get("Content-Type")?.split(";")[0] ?? "";
    const schema = content[mediaType]?.schema;
    if (schema === undefined) return [`${operationId} does not document "${mediaType}" for ${status}`];
    if (!mediaType.includes("json") || isAnything(schema)) return [];
    const key = `${operationId} ${status} ${mediaType}`;
    const check = this.#checks.get(key) ?? compileBodyCheck(schema, this.#document.components.schemas);
    this.#checks.set(key, check);
    const lines = mediaType.includes("ndjson") ? text.split("\n").filter((line) => line !== "") : [text];
    return lines.flatMap((line) => {
      const value = parsed(line);
      if (value === undefined) return [`${operationId} ${status} is not JSON: ${line.slice(0, 500)}`];
      return check(value.json).map(
        ({ pointer, message }) => `${operationId} ${status} ${pointer}: ${message} ${line.slice(0, 2_000)}`,
      );
    });
  }

  #resolved(response: ResponseObject | Ref): ResponseObject {
    if (!("$ref" in response)) return response;
    return this.#document.components.responses[
      response.$ref.slice(response.$ref.lastIndexOf("/") + 1)
    ] as ResponseObject;
  }
}

function parametersIn(path: string): number {
  return path.split("{").length;
}

function patternOf(path: string, item: unknown, servers: readonly string[]): RegExp {
  const { parameters = [] } = item as { parameters?: readonly ({ name?: string } & Record<string, unknown>)[] };
  const escaped = path.replaceAll(/[.:+]/g, "\\$&").replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    const spans = parameters.some((parameter) => parameter.name === name && parameter["x-spans-segments"] === true);
    return spans ? ".+" : "[^/]+";
  });
  const prefixes = servers.map((server) => server.replace(/\/$/, ""));
  return new RegExp(`^(?:${prefixes.join("|")})${escaped === "/" ? "/?" : `${escaped}/?`}$`);
}

/** A schema without constraints may be of text that is not JSON. */
function isAnything(schema: ContractSchema): boolean {
  return Object.keys(schema).every((key) => key === "description");
}

function parsed(text: string): { json: unknown } | undefined {
  try {
    return { json: JSON.parse(text) as unknown };
  } catch {
    return undefined;
  }
}
