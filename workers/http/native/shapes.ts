import type { components } from "../../../contract/openapi-types.ts";

/** Types of requests and responses from the OpenAPI document. */
export type Shape<Name extends keyof components["schemas"]> = components["schemas"][Name];
