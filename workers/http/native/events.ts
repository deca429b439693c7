/** The change feed: `/events` by WebSocket and SSE. */
import type { Answer } from "../answer";
import type { NativeRequest } from "./request";

/** By operationId. */
export const eventOperations: Readonly<Record<string, (request: NativeRequest) => Promise<Answer> | Answer>> = {};
