/** Modules that the loading Worker adds to the isolate's code. */
declare module "isolate-input.json" {
  /** The schemas, as the isolate's format compiles them. */
  const input: unknown;
  export default input;
}

/** Text modules, as wrangler bundles them. */
declare module "*.txt" {
  const text: string;
  export default text;
}

/** The part of avsc that needs no files. */
declare module "avsc/etc/browser/avsc-types.js" {
  const avsc: Pick<typeof import("avsc"), "Type" | "types">;
  export default avsc;
}
