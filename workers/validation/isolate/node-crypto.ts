/** Node's module for avsc. */
export { createHash } from "node:crypto";
