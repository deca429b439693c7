/** ajv as the judge of validity, one instance per dialect. */
import Ajv from "ajv";
import Ajv2019 from "ajv/dist/2019";
import Ajv2020 from "ajv/dist/2020";
import draft06 from "ajv/dist/refs/json-schema-draft-06.json";
import AjvDraft04 from "ajv-draft-04";
import addFormats from "ajv-formats";
import type { JsonDialect } from "../../../../schema/format";
import { isAtLeast } from "../../../../schema/json/dialects";

const OPTIONS = { strict: false, allErrors: false, logger: false as const, validateSchema: false };

/** A function that says whether a value is valid, undefined where ajv's code fails; no function where ajv cannot compile the schema. */
export function validatorOf(
  schema: unknown,
  dialect: JsonDialect,
): ((value: unknown) => boolean | undefined) | undefined {
  try {
    const validate = ajvFor(dialect).compile(asAjvReads(schema, !isAtLeast(dialect, "2019-09")) as object);
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

/** Without identifiers, which ajv would keep, and up to draft-07 without what stands beside `$ref`, which ajv would apply. */
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

function ajvFor(dialect: JsonDialect): Ajv {
  if (dialect === "draft-04") return addFormats(new AjvDraft04(OPTIONS) as unknown as Ajv);
  if (dialect === "2019-09") return addFormats(new Ajv2019(OPTIONS) as unknown as Ajv);
  if (dialect === "2020-12") return addFormats(new Ajv2020(OPTIONS) as unknown as Ajv);
  const ajv = addFormats(new Ajv(OPTIONS));
  if (dialect === "draft-06") ajv.addMetaSchema(draft06);
  return ajv;
}
