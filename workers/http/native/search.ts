/** Search over the searchable copy. */
import type { Answer } from "../answer";
import type { NativeRequest } from "./request";

/** By operationId. */
export const searchOperations: Readonly<Record<string, (request: NativeRequest) => Promise<Answer> | Answer>> = {};
