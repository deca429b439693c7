/** A native request, validated against the OpenAPI document. */
import { type ErrorItem, makeRefusal } from "../../../contract/errors.ts";
import type { AsOf } from "../../../registry/log-entry.ts";
import { type JsonNode, type JsonObject, toPlainValue } from "../../../schema/json-text.ts";
import { parseToken } from "../../read-path/token.ts";
import { giveTurn } from "../../registry/turns.ts";
import { isJsonMediaType, readJson } from "../body.ts";
import type { Call } from "../call.ts";
import { RegistryError, refusing } from "../errors.ts";
import { type ParameterValues, readParameters } from "../parameters.ts";
import type { CheckBody } from "../request-schema.ts";
import type { Operation } from "./operations.ts";

export type NativeRequest = Call & {
  path: Readonly<Record<string, string>>;
  query: ParameterValues;
  header: ParameterValues;
  /** The state the caller has seen; no response may be older. */
  token: AsOf | undefined;
  /** The body as plain values, and as a JSON tree. */
  body: unknown;
  tree: JsonObject | undefined;
  /** For handlers that read the body themselves, because it need not be JSON. */
  checkBody: CheckBody | undefined;
};

const NO_VALUES: ParameterValues = {};

/** Validates everything but the body, and refuses the request with all reasons together. */
export function readNativeRequest(operation: Operation, call: Call): NativeRequest {
  const { request, params, search } = call;
  const items: ErrorItem[] = [];
  const { path: pathSpecs, query: querySpecs, header: headerSpecs } = operation.parameters;
  readParameters(pathSpecs, params, items);
  const query = readQuery(querySpecs, search, items);
  const header = headerSpecs.length === 0 ? NO_VALUES : readParameters(headerSpecs, request.headers, items);
  const minSeq = header["X-Registry-Min-Seq"];
  const token = typeof minSeq === "string" ? parseToken(minSeq) : undefined;
  if (minSeq !== undefined && token === undefined) {
    items.push({ rule: "token", message: 'Header "X-Registry-Min-Seq" must be a token from "X-Registry-Seq".' });
  }
  refuseItems(items);
  const { edge, actor, caller } = call;
  return {
    request,
    edge,
    actor,
    caller,
    params,
    search,
    path: params,
    query,
    header,
    token,
    tree: undefined,
    body: undefined,
    checkBody: undefined,
  };
}

/** Also validates the body, for operations that take one. */
export async function readNativeRequestWithBody(operation: Operation, call: Call): Promise<NativeRequest> {
  const request = readNativeRequest(operation, call);
  const tree = await readCheckedBody(operation, call.request);
  if (isLarge(call.request)) await giveTurn();
  return { ...request, tree, body: toPlainValue(tree) };
}

/** Parsing, checking and converting a larger body are passes of tens of milliseconds each; others get a turn in between. */
const LARGE_BODY_BYTES = 256 * 1024;

function isLarge({ headers }: Request): boolean {
  const length = headers.get("Content-Length");
  return length === null || Number(length) > LARGE_BODY_BYTES;
}

function readQuery(specs: Operation["parameters"]["query"], search: string, items: ErrorItem[]): ParameterValues {
  if (search === "") return specs.length === 0 ? NO_VALUES : readParameters(specs, NO_VALUES, items);
  const given = new URLSearchParams(search);
  const seen = new Set<string>();
  for (const name of given.keys()) {
    if (seen.has(name))
      items.push({ rule: "repeated_parameter", message: `Query parameter "${name}" is given twice.` });
    else if (!specs.some((spec) => spec.name === name)) {
      const known = specs.map((spec) => spec.name).join(", ") || "none";
      items.push({
        rule: "unknown_parameter",
        message: `Query parameter "${name}" is unknown; known parameters: ${known}.`,
      });
    }
    seen.add(name);
  }
  return readParameters(specs, given, items);
}

async function readCheckedBody({ checkBody }: Operation, request: Request): Promise<JsonObject> {
  const contentType = request.headers.get("Content-Type");
  if (!isJsonMediaType(contentType)) {
    throw refusing("UNSUPPORTED_MEDIA_TYPE", `The body must be application/json in UTF-8, not "${contentType}".`);
  }
  const node: JsonNode = await readJson(request);
  if (node.type !== "object") {
    refuseItems([{ pointer: "", rule: "type", message: `Expected object, got ${node.type}.` }]);
  }
  if (isLarge(request)) await giveTurn();
  refuseItems(checkBody!()(toPlainValue(node)));
  return node as JsonObject;
}

export function refuseItems(items: readonly ErrorItem[]): void {
  const [first] = items;
  if (first === undefined) return;
  const place = first.pointer ? ` at ${first.pointer}` : "";
  const more = items.length > 1 ? ` (and ${items.length - 1} more)` : "";
  throw new RegistryError(
    makeRefusal(
      "BAD_REQUEST",
      [first.message],
      `The request does not match the API's schema${place}: ${first.message}${more}`,
      {
        items,
      },
    ),
  );
}
