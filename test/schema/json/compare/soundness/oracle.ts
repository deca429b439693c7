/**
 * ajv as the oracle of validity, one instance per dialect, because creating one takes longer than compiling a schema.
 */
import Ajv from "ajv";
import Ajv2019 from "ajv/dist/2019";
import Ajv2020 from "ajv/dist/2020";
import draft06 from "ajv/dist/refs/json-schema-draft-06.json";
import AjvDraft04 from "ajv-draft-04";
import addFormats from "ajv-formats";
import type { JsonDialect } from "../../../../../schema/format.ts";
import { isAtLeast, JSON_DIALECTS } from "../../../../../schema/json/parse/dialects.ts";
import type { Schema } from "./generate.ts";

const OPTIONS = { strict: false, allErrors: false, logger: false as const, validateSchema: false };

/** Returns whether a value is valid, undefined if ajv's code fails; no function if ajv cannot compile the schema. */
export function validatorOf(
  schema: unknown,
  dialect: JsonDialect,
): ((value: unknown) => boolean | undefined) | undefined {
  try {
    // Anchors remain in an instance after their schema is removed.
    const hasAnchors = JSON.stringify(schema).includes('nchor":');
    const ajv = hasAnchors ? MAKE_AJV[dialect]() : AJVS[dialect];
    const read = asAjvReads(schema, !isAtLeast(dialect, "2019-09")) as Schema;
    const validate = ajv.compile(read);
    if (typeof read === "object") ajv.removeSchema(read);
    return (value) => {
      try {
        return validate(value) === true;
      } catch {
        return undefined;
      }
    };
  } catch {
    return undefined;
  }
}

/**
 * Without identifiers, which ajv would retain, and up to draft-07 without siblings of `$ref`, which ajv would apply.
 */
function asAjvReads(schema: unknown, dropsSiblings: boolean): unknown {
  if (Array.isArray(schema)) return schema.map((item) => asAjvReads(item, dropsSiblings));
  if (typeof schema !== "object" || schema === null) return schema;
  const { $id: _, ...rest } = schema as { [keyword: string]: unknown };
  if (dropsSiblings && typeof rest.$ref === "string") {
    return {
      $ref: rest.$ref,
      ...(rest.definitions ? { definitions: asAjvReads(rest.definitions, true) } : {}),
    };
  }
  return Object.fromEntries(Object.entries(rest).map(([name, value]) => [name, asAjvReads(value, dropsSiblings)]));
}

const MAKE_AJV: Record<JsonDialect, () => Ajv> = {
  "draft-04": () => addFormats(new AjvDraft04(OPTIONS) as unknown as Ajv),
  "draft-06": () => addFormats(new Ajv(OPTIONS)).addMetaSchema(draft06),
  "draft-07": () => addFormats(new Ajv(OPTIONS)),
  "2019-09": () => addFormats(new Ajv2019(OPTIONS) as unknown as Ajv),
  "2020-12": () => addFormats(new Ajv2020(OPTIONS) as unknown as Ajv),
};

const AJVS = Object.fromEntries(JSON_DIALECTS.map((dialect) => [dialect, MAKE_AJV[dialect]()])) as Record<
  JsonDialect,
  Ajv
>;
