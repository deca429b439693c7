/** Export and restore of the log. */
import type { Answer } from "../answer";
import type { NativeRequest } from "./request";

/** By operationId. */
export const backupOperations: Readonly<Record<string, (request: NativeRequest) => Promise<Answer> | Answer>> = {};
