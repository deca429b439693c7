/** How far the searchable copy is, and what brings it back in line. */
import type { Answer } from "../answer";
import type { NativeRequest } from "./request";

/** By operationId. */
export const readModelOperations: Readonly<Record<string, (request: NativeRequest) => Promise<Answer> | Answer>> = {};
