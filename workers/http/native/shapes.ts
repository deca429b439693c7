import type { components } from "../../../contract/openapi-types.ts";

/** A request or an answer as the contract's document describes it. */
export type Shape<Name extends keyof components["schemas"]> = components["schemas"][Name];
