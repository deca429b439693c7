/** The operations of the OpenAPI document, with compiled parameters and bodies. */
import openapi from "../../../contract/openapi.json";
import type { Route } from "../call.ts";
import { compileParameter, type ParameterSpec } from "../parameters.ts";
import { type CheckBody, type ContractSchema, compileBodyCheck } from "../request-schema.ts";

export type Operation = {
  id: string;
  method: Route["method"];
  /** The router's pattern, including the server's prefix. */
  path: string;
  documentedPath: string;
  produces: readonly string[];
  parameters: Record<ParameterSpec["in"], readonly ParameterSpec[]>;
  /**
   * Validates JSON bodies; handlers read other bodies themselves. Compiled on first use, so reads never pay for the
   * schemas of writes.
   */
  checkBody: (() => CheckBody) | undefined;
};

type Document = {
  servers: readonly { url: string }[];
  paths: Readonly<Record<string, PathItem>>;
  components: { schemas: Readonly<Record<string, unknown>>; parameters: Readonly<Record<string, Parameter>> };
};
type PathItem = Readonly<Record<string, unknown>> & { parameters?: readonly (Parameter | Ref)[] };
type Parameter = {
  name: string;
  in: ParameterSpec["in"];
  required?: boolean;
  schema: ContractSchema;
  "x-spans-segments"?: true;
};
type Ref = { $ref: string };
type OperationObject = {
  operationId: string;
  parameters?: readonly (Parameter | Ref)[];
  requestBody?: { content: { "application/json"?: { schema: ContractSchema } } };
  responses: Readonly<Record<string, { content?: Readonly<Record<string, unknown>> } | Ref>>;
};

const DOCUMENT = openapi as unknown as Document;
/** Any string is valid here; the ETag it is compared with is known only with the response. */
const READ_WHERE_ANSWERED = "If-None-Match";

const METHODS = { get: "GET", post: "POST", put: "PUT", patch: "PATCH", delete: "DELETE" } as const;

export const OPERATIONS: readonly Operation[] = Object.entries(DOCUMENT.paths).flatMap(([path, item]) =>
  Object.entries(METHODS).flatMap(([key, method]) => {
    const operation = item[key] as OperationObject | undefined;
    return operation === undefined ? [] : [compileOperation(method, path, item, operation)];
  }),
);

function compileOperation(
  method: Route["method"],
  path: string,
  item: PathItem,
  { operationId, parameters = [], requestBody, responses }: OperationObject,
): Operation {
  const specs = [...(item.parameters ?? []), ...parameters]
    .map(resolved)
    .map((parameter) => compileParameter(parameter, resolvedSchema(parameter.schema)));
  const bodySchema = requestBody?.content["application/json"]?.schema;
  let check: CheckBody | undefined;
  return {
    id: operationId,
    method,
    documentedPath: path,
    path: DOCUMENT.servers[0]!.url + routerPath(path, [...(item.parameters ?? []), ...parameters].map(resolved)),
    produces: producedBy(responses),
    parameters: {
      path: specs.filter((spec) => spec.in === "path"),
      query: specs.filter((spec) => spec.in === "query"),
      header: specs.filter((spec) => spec.in === "header" && spec.name !== READ_WHERE_ANSWERED),
    },
    checkBody:
      bodySchema &&
      (() => {
        check ??= compileBodyCheck(bodySchema, DOCUMENT.components.schemas);
        return check;
      }),
  };
}

/** The router's spelling. A parameter that spans segments takes the rest of the path. */
function routerPath(path: string, parameters: readonly Parameter[]): string {
  return path.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    const spans = parameters.some((parameter) => parameter.name === name && parameter["x-spans-segments"] === true);
    return spans ? `:${name}{.+}` : `:${name}`;
  });
}

function producedBy(responses: OperationObject["responses"]): string[] {
  const ok = responses["200"];
  return ok && "content" in ok ? Object.keys(ok.content ?? {}) : ["application/json"];
}

function resolved(parameter: Parameter | Ref): Parameter {
  return "$ref" in parameter ? DOCUMENT.components.parameters[nameOf(parameter.$ref)]! : parameter;
}

function resolvedSchema(schema: ContractSchema): ContractSchema {
  return typeof schema.$ref === "string"
    ? (DOCUMENT.components.schemas[nameOf(schema.$ref)] as ContractSchema)
    : schema;
}

function nameOf(reference: string): string {
  return reference.slice(reference.lastIndexOf("/") + 1);
}
