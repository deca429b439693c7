/**
 * Instructions for converting an answer under a projected schema to a value of the registered one, as data that any
 * client can execute. A step leaves values of other types unchanged; validation afterwards reports what is wrong.
 */

export type DecodeStep =
  /**
   * An object whose members were renamed or made nullable; `rest` holds the entries of a map that were next to named
   * properties, `others` applies to members without a declared name; `in_order` means that the provider writes them in
   * a different order.
   */
  | {
      readonly op: "object";
      readonly members: readonly MemberStep[];
      readonly rest?: RestStep;
      readonly others?: DecodeStep;
      readonly in_order?: true;
    }
  | { readonly op: "items"; readonly decode: DecodeStep }
  /** Steps for the first items, then one for the rest. */
  | { readonly op: "prefix"; readonly items: readonly (DecodeStep | null)[]; readonly rest: DecodeStep | null }
  /** An object that represents an array: one member per item, and one for all further items. */
  | { readonly op: "tuple"; readonly members: readonly MemberStep[]; readonly rest?: RestStep }
  /** An array of `{key, value}` that represents an object. If a key repeats, the last one wins. */
  | {
      readonly op: "entries";
      readonly key: string;
      readonly value: string;
      readonly decode_key?: DecodeStep;
      readonly decode?: DecodeStep;
    }
  /** A string that contains the JSON of a value of one of these types, or of any type. */
  | { readonly op: "json_text"; readonly types?: readonly string[] }
  /** Values that represent other values. */
  | {
      readonly op: "values";
      readonly pairs: readonly { readonly given: string; readonly means: unknown }[];
      readonly ignore_case?: true;
    }
  | { readonly op: "unwrap"; readonly member: string; readonly decode?: DecodeStep }
  /**
   * The first branch whose schema accepts the value and whose result the registered schemas accept; else the first
   * whose schema accepts it.
   */
  | { readonly op: "choose"; readonly branches: readonly BranchStep[] }
  | { readonly op: "definition"; readonly name: string };

export type RestStep = { readonly member: string; readonly decode?: DecodeStep };

export type MemberStep = {
  /** The name that the model writes. */
  readonly given: string;
  /** The name in the registered schema. */
  readonly name: string;
  /** The value that represents absence. */
  readonly absent?: { readonly value: string | null };
  /** In the registered schema it may be both absent and null, and only null can be written. */
  readonly nullable?: true;
  readonly decode?: DecodeStep;
};

export type BranchStep = {
  /** JSON pointer into the decoder's `schema`. */
  readonly schema: string;
  /**
   * JSON pointers into the registered schema, prefixed with `name#` in a reference: the schemas that the result must
   * satisfy.
   */
  readonly registered: readonly string[];
  readonly decode?: DecodeStep;
};

export type Decoder = {
  readonly version: 1;
  /** The decoder's profile with its date. */
  readonly profile: string;
  /** The first step; absent if answers need no decoding. */
  readonly root?: DecodeStep;
  /** Steps of recursive definitions. */
  readonly definitions?: Readonly<Record<string, DecodeStep>>;
  /** The projected schema as plain JSON Schema (2020-12), present if branches are selected by it. */
  readonly schema?: unknown;
};
