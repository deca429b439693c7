/**
 * How a model's answer under a projected schema becomes a value of the registered one, as data that any client can run.
 * A step that meets a value of another type than it is for leaves it alone: validation afterwards says what is wrong.
 */

export type DecodeStep =
  /** An object whose members were renamed or made nullable; `rest` holds the entries of a map that stood beside named properties,
   * `others` is for members that kept their place without being named; `in_order` says that the provider writes another order. */
  | {
      readonly op: "object";
      readonly members: readonly MemberStep[];
      readonly rest?: RestStep;
      readonly others?: DecodeStep;
      readonly in_order?: true;
    }
  | { readonly op: "items"; readonly decode: DecodeStep }
  /** The first items, each in its own way, then the rest. */
  | { readonly op: "prefix"; readonly items: readonly (DecodeStep | null)[]; readonly rest: DecodeStep | null }
  /** An object that stands for an array: one member for each item, and one for all that follow. */
  | { readonly op: "tuple"; readonly members: readonly MemberStep[]; readonly rest?: RestStep }
  /** An array of `{key, value}` that stands for an object. Where a key repeats, the last one counts. */
  | {
      readonly op: "entries";
      readonly key: string;
      readonly value: string;
      readonly decode_key?: DecodeStep;
      readonly decode?: DecodeStep;
    }
  /** A string that holds the JSON of a value of one of these types, or of any. */
  | { readonly op: "json_text"; readonly types?: readonly string[] }
  /** Values that stand for others. */
  | {
      readonly op: "values";
      readonly pairs: readonly { readonly given: string; readonly means: unknown }[];
      readonly ignore_case?: true;
    }
  | { readonly op: "unwrap"; readonly member: string; readonly decode?: DecodeStep }
  /** The first branch whose schema takes the value and whose result the registered schemas take; else the first whose schema takes it. */
  | { readonly op: "choose"; readonly branches: readonly BranchStep[] }
  | { readonly op: "definition"; readonly name: string };

export type RestStep = { readonly member: string; readonly decode?: DecodeStep };

export type MemberStep = {
  /** The name that the model writes. */
  readonly given: string;
  /** The name in the registered schema. */
  readonly name: string;
  /** The value that stands for absence. */
  readonly absent?: { readonly value: string | null };
  /** It may be absent and may be null in the registered schema, and only null can be written. */
  readonly nullable?: true;
  readonly decode?: DecodeStep;
};

export type BranchStep = {
  /** JSON pointer into the decoder's `schema`. */
  readonly schema: string;
  /** JSON pointers into the registered schema, after `name#` in a reference: what the result must keep to. */
  readonly registered: readonly string[];
  readonly decode?: DecodeStep;
};

export type Decoder = {
  readonly version: 1;
  /** The profile that it belongs to, dated. */
  readonly profile: string;
  /** The first step; absent where answers need no decoding. */
  readonly root?: DecodeStep;
  /** Steps of definitions that recur. */
  readonly definitions?: Readonly<Record<string, DecodeStep>>;
  /** The projected schema as plain JSON Schema (2020-12), present where branches are told apart by it. */
  readonly schema?: unknown;
};
