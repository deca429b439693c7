/** Modules that the loading Worker adds to the isolate's code. */
declare module "isolate-input.json" {
  const input: import("./check.ts").CompiledInput;
  export default input;
}

/** Text modules, as wrangler bundles them. */
declare module "*.txt" {
  const text: string;
  export default text;
}
