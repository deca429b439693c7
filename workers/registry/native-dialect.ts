import type { JsonDialect } from "../../schema/format.ts";

/** The native API's dialect for JSON Schemas without `$schema`. */
export const NATIVE_DIALECT: JsonDialect = "2020-12";
