/** Node's module for avsc. */
export { Buffer } from "node:buffer";
