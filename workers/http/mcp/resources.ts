/** Registered versions as resources, `schema://{subject}/{version}`, with completions for both parts. */
import { ResourceNotFoundError } from "@modelcontextprotocol/server";
import { ERRORS } from "../../../contract/errors.ts";
import { RegistryError } from "../errors.ts";
import type { CallNative } from "./native-call.ts";

export const SCHEMA_TEMPLATE = {
  uriTemplate: "schema://{subject}/{version}",
  name: "schema",
  title: "Registered schema",
  description:
    "The text of one registered version. The subject is percent-encoded; the version is a number, a semantic version, a range, an alias or latest.",
};

const MEDIA_TYPES: Readonly<Record<string, string>> = {
  "json-schema": "application/schema+json",
  avro: "application/json",
  protobuf: "text/plain",
};

type ReadVersion = {
  id: string;
  subject: string;
  version: string | null;
  format: string;
  fingerprint: string;
  content: string;
};

export async function readResource(uri: string, call: CallNative) {
  const match = /^schema:\/\/([^/]+)\/([^/]+)$/.exec(uri);
  const [subject, version] = (match?.slice(1) ?? []).map(decode);
  if (subject === undefined || version === undefined) throw new ResourceNotFoundError(uri);
  try {
    const path = { subject, version };
    const query = { content: "text" };
    const record = (await call("GET /subjects/{subject}/versions/{version}", { path, query })) as ReadVersion;
    const { id, fingerprint, format, content } = record;
    const _meta = { id, fingerprint, version: record.version };
    return { contents: [{ uri, mimeType: MEDIA_TYPES[format] ?? "text/plain", text: content, _meta }] };
  } catch (error) {
    if (error instanceof RegistryError && isAbsent(error)) throw new ResourceNotFoundError(uri, error.refusal.detail);
    throw error;
  }
}

function isAbsent({ refusal }: RegistryError): boolean {
  return ERRORS[refusal.error].status === 404;
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** As many as the protocol takes. */
export const MAX_COMPLETIONS = 100;

/** Subjects that begin so, in the order of their names; versions of the chosen subject, newest first. */
export async function completeArgument(
  argument: { name: string; value: string },
  chosen: Readonly<Record<string, string>>,
  call: CallNative,
): Promise<string[]> {
  try {
    if (argument.name === "subject") {
      const query = { prefix: argument.value, limit: String(MAX_COMPLETIONS) };
      const { items } = (await call("GET /subjects", { query })) as { items: { subject: string }[] };
      return items.map(({ subject }) => subject);
    }
    const { subject } = chosen;
    if (argument.name !== "version" || subject === undefined) return [];
    const query = { limit: "1000", content: "none" };
    const { items } = (await call("GET /subjects/{subject}/versions", { path: { subject }, query })) as {
      items: { version: string | null }[];
    };
    const versions = items.flatMap(({ version }) => (version === null ? [] : [version])).toReversed();
    return ["latest", ...versions].filter((version) => version.startsWith(argument.value)).slice(0, MAX_COMPLETIONS);
  } catch (error) {
    // There is nothing to complete for a subject that does not exist.
    if (error instanceof RegistryError && isAbsent(error)) return [];
    throw error;
  }
}
