import type { JsonDialect } from "../../schema/format.ts";

/** The dialect of a JSON Schema that does not say its own, through the native API. */
export const NATIVE_DIALECT: JsonDialect = "2020-12";
