/** JSON Schemas to project: a registered version or the content of a request, with tool definitions unwrapped. */

import { makeRefusal, type Refusal } from "../../../contract/errors.ts";
import type { RequestedReference } from "../../../registry/record.ts";
import type { JsonSchemaModel } from "../../../schema/json/model.ts";
import { parseInSlices } from "../../../schema/json/parse/parse.ts";
import type { JsonNode } from "../../../schema/json-text.ts";
import { writeJsonText } from "../../../schema/json-text.ts";
import type { Profile } from "../../../schema/projection/profile.ts";
import { profileNamed } from "../../../schema/projection/profiles.ts";
import { type UnwrappedSchema, unwrapSchemas } from "../../../schema/projection/tool-schema-text.ts";
import { ok, type Result, refuse } from "../../../schema/result.ts";
import { passesMicros } from "../../../schema/slices.ts";
import type { Edge } from "../../edge.ts";
import { comparableSide } from "../compatibility/compare.ts";
import { NATIVE_DIALECT } from "../native-dialect.ts";

export type ProjectableSource =
  | { id: string }
  /** `pointer` selects one of several tool definitions. */
  | { content: JsonNode; references: readonly RequestedReference[]; pointer: string | undefined };

export type Projectable = Pick<UnwrappedSchema, "kind" | "name" | "description" | "pointer"> & {
  readonly model: JsonSchemaModel;
};

/** Tool definitions in one request: each is projected for up to thirteen profiles within the request's ten seconds. */
export const MAX_PROJECTABLE_SCHEMAS = 256;

export async function readProjectables(
  edge: Edge,
  source: ProjectableSource,
  context: string,
): Promise<Result<Projectable[], Refusal>> {
  if ("id" in source) {
    const read = await readModel(edge, source, context);
    if (!read.ok) return read;
    return ok([{ kind: null, name: null, description: null, pointer: "", model: read.value }]);
  }
  const text = writeJsonText(source.content);
  // The request's own parsing, and this writing.
  await edge.work.spend(passesMicros(text.length, 3));
  const unwrapped = unwrapSchemas(source.content, text);
  await edge.work.spend(passesMicros(text.length));
  const { pointer } = source;
  const wanted = pointer === undefined ? unwrapped : unwrapped.filter((found) => found.pointer === pointer);
  if (wanted.length === 0) {
    const detail = `"pointer" names no schema of the content (expected ${unwrapped.map((found) => found.pointer).join(", ")}).`;
    return refuse(
      makeRefusal("UNPROCESSABLE", [detail], detail, {
        items: [{ pointer: "/pointer", rule: "pointer", message: detail }],
      }),
    );
  }
  if (wanted.length > MAX_PROJECTABLE_SCHEMAS) {
    const detail = `The content has ${wanted.length} tool definitions (at most ${MAX_PROJECTABLE_SCHEMAS}).`;
    return refuse(makeRefusal("UNPROCESSABLE", [detail], detail));
  }
  const schemas: Projectable[] = [];
  for (const { kind, name, description, pointer: at, text: schema } of wanted) {
    const inline = { format: "json-schema" as const, text: schema, references: source.references };
    const read = await readModel(edge, inline, context);
    if (!read.ok) return refuse({ ...read.refusal, ...placed(read.refusal, at) });
    schemas.push({ kind, name, description, pointer: at, model: read.value });
  }
  return ok(schemas);
}

/** Locations of a refusal, as pointers into the request. */
function placed({ items }: Refusal, at: string): Pick<Refusal, "items"> {
  if (items === undefined) return {};
  return {
    items: items.map((item) =>
      item.pointer === undefined ? item : { ...item, pointer: `/content${at}${item.pointer}` },
    ),
  };
}

/** The single schema of a request about one. */
export async function readProjectable(
  edge: Edge,
  source: ProjectableSource,
  context: string,
): Promise<Result<Projectable, Refusal>> {
  const read = await readProjectables(edge, source, context);
  if (!read.ok) return read;
  const [schema] = read.value;
  if (schema !== undefined && read.value.length === 1) return ok(schema);
  const detail = `The content has several tool definitions: select one with "pointer" (${read.value.map(({ pointer }) => pointer).join(", ")}).`;
  return refuse(
    makeRefusal("UNPROCESSABLE", [detail], detail, {
      items: [{ pointer: "/pointer", rule: "pointer", message: detail }],
    }),
  );
}

async function readModel(
  edge: Edge,
  side: Parameters<typeof comparableSide>[1],
  context: string,
): Promise<Result<JsonSchemaModel, Refusal>> {
  const read = await comparableSide(edge, side, context);
  if (!read.ok) return read;
  const { format, source, dialect } = read.value;
  if (format !== "json-schema") {
    const detail = `Only a JSON Schema can be projected, not ${format}.`;
    return refuse(makeRefusal("UNPROCESSABLE", [detail], detail));
  }
  const options = { strictness: "stored", defaultDialect: dialect ?? NATIVE_DIALECT } as const;
  const parsed = await edge.work.run(parseInSlices(source, options));
  if (parsed.ok) return ok(parsed.value.model);
  const detail = parsed.refusal.problems[0]?.message ?? "The schema cannot be read.";
  return refuse(makeRefusal("TOO_COMPLEX", [detail], detail, { items: parsed.refusal.problems }));
}

export function readProfile(name: string, pointer: string): Result<Profile, Refusal> {
  const found = profileNamed(name);
  if (found.ok) return ok(found.value);
  const { message } = found.refusal;
  return refuse(makeRefusal("UNPROCESSABLE", [message], message, { items: [{ pointer, rule: "profile", message }] }));
}
