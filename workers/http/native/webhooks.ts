/** Endpoints that are told of changes. */
import type { Answer } from "../answer";
import type { NativeRequest } from "./request";

/** By operationId. */
export const webhookOperations: Readonly<Record<string, (request: NativeRequest) => Promise<Answer> | Answer>> = {};
