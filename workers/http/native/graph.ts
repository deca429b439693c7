/** What a version depends on and what depends on it. */
import type { Answer } from "../answer";
import type { NativeRequest } from "./request";

/** By operationId. */
export const graphOperations: Readonly<Record<string, (request: NativeRequest) => Promise<Answer> | Answer>> = {};
