/** Node's module for avsc. */
export { debuglog, deprecate, format, inherits, inspect } from "node:util";
