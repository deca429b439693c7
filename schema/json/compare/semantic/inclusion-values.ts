/** Types and listed values: whether the reader accepts every type and every value that the writer may produce. */
import { type JsonNode, toPlainValue, writeJsonText } from "../../../json-text.ts";
import { equalityKey, equalityKeys } from "../../validate/equality.ts";
import { LISTED_VALUE_MICROS } from "../bounds.ts";
import { type FoundDifference, NONE, writerPointer } from "./found.ts";
import type { State } from "./state.ts";
import { ALL_TYPE_BITS, NUMBER, TYPE, type View } from "./view.ts";

/** Values passed on as hints to the witness search. */
export const MAX_HINTS = 20;
/** Values named in a message. */
const MAX_NAMED_VALUES = 5;

export function checkType(state: State, reader: View): readonly FoundDifference[] {
  const refused = state.types & ~reader.types!;
  if (refused === 0) return NONE;
  const { typeSource } = state.shape;
  const shared = state.types & reader.types!;
  const isFractionOnly = refused === TYPE.fraction && (shared & TYPE.integer) !== 0;
  const isAny = state.types === ALL_TYPE_BITS;
  const writes = isAny ? "any value" : typeNames(state.types);
  return [
    {
      kind: isFractionOnly || (shared !== 0 && !isAny) ? "TYPE_NARROWED" : "TYPE_CHANGED",
      reader: reader.at("type"),
      writer: typeSource?.location ? typeSource.at("type") : writerPointer(state),
      message: `The reader accepts only ${typeNames(reader.types!) || "nothing"}; the writer may produce ${writes}.`,
      fix: `Let the reader accept ${typeNames(refused)} as well.`,
      traces: [
        {
          at: "end",
          state,
          reader,
          hints: SAMPLES.filter(([bit]) => (bit & refused) !== 0).map(([, value]) => value),
        },
      ],
    },
  ];
}

const SAMPLES: readonly [number, unknown][] = [
  [TYPE.string, ""],
  [TYPE.integer, 0],
  [TYPE.fraction, 0.5],
  [TYPE.boolean, true],
  [TYPE.null, null],
  [TYPE.array, []],
  [TYPE.object, {}],
];

function typeNames(types: number): string {
  const names: string[] = [];
  if ((types & TYPE.string) !== 0) names.push("strings");
  if ((types & NUMBER) === NUMBER) names.push("numbers");
  else if ((types & TYPE.integer) !== 0) names.push("integers");
  else if ((types & TYPE.fraction) !== 0) names.push("numbers that are not integers");
  if ((types & TYPE.boolean) !== 0) names.push("booleans");
  if ((types & TYPE.null) !== 0) names.push("null");
  if ((types & TYPE.array) !== 0) names.push("arrays");
  if ((types & TYPE.object) !== 0) names.push("objects");
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}

export function checkValues(state: State, reader: View): readonly FoundDifference[] {
  const found: FoundDifference[] = [];
  if (reader.enumeration) {
    state.states.meter.note((reader.enumeration.length + (state.values?.length ?? 0)) * LISTED_VALUE_MICROS);
    found.push(...checkListed(state, reader, reader.enumeration, "enum"));
  }
  if (reader.constantValue) found.push(...checkListed(state, reader, [reader.constantValue], "const"));
  return found;
}

function checkListed(
  state: State,
  reader: View,
  accepted: readonly JsonNode[],
  keyword: "enum" | "const",
): readonly FoundDifference[] {
  const keys = equalityKeys(accepted);
  const { values } = state;
  const source = state.shape.valuesSource;
  const trace = (hints: readonly unknown[]) => ({ at: "end", state, reader, hints }) as const;
  if (values === undefined) {
    return [
      {
        kind: keyword === "enum" ? "ENUM_ARRAY_ADDED" : "CONST_ADDED",
        reader: reader.at(keyword),
        writer: writerPointer(state),
        message: `The reader accepts only the listed values ${namedValues(accepted)}; the writer does not list its values.`,
        traces: [trace([])],
      },
    ];
  }
  const refused = values.filter((value) => !keys.has(equalityKey(value)));
  if (refused.length === 0) return NONE;
  const writerKeyword = source?.constantValue ? "const" : "enum";
  const written = equalityKeys(values);
  const isNarrowed = [...keys].every((key) => written.has(key));
  return [
    {
      kind: isNarrowed ? "ENUM_ARRAY_NARROWED" : "ENUM_ARRAY_CHANGED",
      reader: reader.at(keyword),
      writer: source?.location ? source.at(writerKeyword) : writerPointer(state),
      message: `The writer may produce ${namedValues(refused)}, which the reader does not accept.`,
      fix: `Let the reader accept ${namedValues(refused)} as well.`,
      traces: [trace(refused.slice(0, MAX_HINTS).map(toPlainValue))],
    },
  ];
}

export function namedValues(values: readonly JsonNode[]): string {
  const named = values.slice(0, MAX_NAMED_VALUES).map((value) => writeJsonText(value));
  const rest = values.length - named.length;
  return named.join(", ") + (rest > 0 ? ` and ${rest} more` : "");
}
