/**
 * Resolves a writer's datum to the reader's schema (specification, "Schema Resolution") by walking both schemas. It
 * continues after a failure to find all of them, and also reports values that arrive with a different meaning.
 */

import { findWriterFields } from "../compare/record-fields.ts";
import { BranchFinder } from "../compare/union-branches.ts";
import { describeLogicalType } from "../logical-type.ts";
import { type AvroRecord, type AvroType, findLogicalType, isNamed, typeName } from "../model.ts";
import { namesMatch, shorten } from "../names.ts";
import { type AvroBranch, type AvroDatum, DatumBudget, DatumError, datumToJson, defaultDatum } from "./datum.ts";
import { renderMeaning } from "./meaning.ts";

/** A value that the reader refuses or misinterprets, with its place in both schemas. */
type ReadingFailure = {
  kind: "refused" | "meaning_lost";
  message: string;
  readerPointer: string;
  writerPointer: string;
};

/** `datum` is the result, with null in place of refused values; `values` counts the values read. */
type Reading = { datum: AvroDatum; failures: ReadingFailure[]; values: number };

/** Whether to report failures at this place. */
export type PlaceFilter = (readerPointer: string, writerPointer: string) => boolean;

const MAX_FAILURES = 100;

export function resolveDatum(
  reader: AvroType,
  writer: AvroType,
  datum: AvroDatum,
  {
    isAskedFor = () => true,
    branches = new BranchFinder(),
  }: { isAskedFor?: PlaceFilter; branches?: BranchFinder } = {},
): Reading {
  const resolver = new Resolver(isAskedFor, branches);
  const arrived = resolver.read(reader, writer, datum, "", "");
  return { datum: arrived, failures: resolver.failures, values: resolver.values };
}

class Resolver {
  readonly failures: ReadingFailure[] = [];
  readonly #budget = new DatumBudget();
  readonly #isAskedFor: PlaceFilter;
  readonly #branches: BranchFinder;

  constructor(isAskedFor: PlaceFilter, branches: BranchFinder) {
    this.#isAskedFor = isAskedFor;
    this.#branches = branches;
  }

  get values(): number {
    return this.#budget.nodes;
  }

  read(reader: AvroType, writer: AvroType, datum: AvroDatum, readerAt: string, writerAt: string): AvroDatum {
    this.#budget.enter();
    const read = this.#read(reader, writer, datum, readerAt, writerAt);
    this.#budget.leave();
    return read;
  }

  #read(reader: AvroType, writer: AvroType, datum: AvroDatum, readerAt: string, writerAt: string): AvroDatum {
    const fail = (kind: ReadingFailure["kind"], message: string) => this.#fail(kind, message, readerAt, writerAt);
    if (writer.kind === "union") {
      const { branch, value } = datum as AvroBranch;
      return this.read(reader, writer.branches[branch]!, value, readerAt, `${writerAt}/${branch}`);
    }
    if (reader.kind === "union") {
      const branch = this.#branches.first(reader, writer);
      if (branch === undefined)
        return fail("refused", `no branch of the reader's union takes ${shorten(typeName(writer))}`);
      const value = this.read(reader.branches[branch]!, writer, datum, `${readerAt}/${branch}`, writerAt);
      return { branch, value };
    }
    if (isNamed(reader) && isNamed(writer) && reader.kind === writer.kind && !namesMatch(reader, writer)) {
      fail("refused", `expected ${reader.kind} ${shorten(reader.name.full)}, found ${shorten(writer.name.full)}`);
    }
    if (reader.kind === "record" && writer.kind === "record") {
      return this.#record(reader, writer, datum as Map<string, AvroDatum>, readerAt, writerAt);
    }
    if (reader.kind === "array" && writer.kind === "array") {
      return (datum as AvroDatum[]).map((item) =>
        this.read(reader.items, writer.items, item, `${readerAt}/items`, `${writerAt}/items`),
      );
    }
    if (reader.kind === "map" && writer.kind === "map") {
      const values = [...(datum as Map<string, AvroDatum>)];
      return new Map(
        values.map(([key, value]) => [
          key,
          this.read(reader.values, writer.values, value, `${readerAt}/values`, `${writerAt}/values`),
        ]),
      );
    }
    if (reader.kind === "enum" && writer.kind === "enum") {
      if (reader.ordinals.has(datum as string)) return datum;
      const symbol = `${excerpt(datum)} is not a symbol of the reader's ${shorten(reader.name.full)}`;
      if (reader.defaultSymbol === null) return fail("refused", symbol);
      fail("meaning_lost", `${symbol} and is read as ${excerpt(reader.defaultSymbol)}`);
      return reader.defaultSymbol;
    }
    if (reader.kind === "fixed" && writer.kind === "fixed" && reader.size !== writer.size) {
      return fail("refused", `expected ${reader.size} bytes of ${shorten(reader.name.full)}, found ${writer.size}`);
    }
    return this.#simple(reader, writer, datum, fail);
  }

  #simple(
    reader: AvroType,
    writer: AvroType,
    datum: AvroDatum,
    fail: (kind: ReadingFailure["kind"], message: string) => null,
  ): AvroDatum {
    const promoted: Promoted | null = reader.kind === writer.kind ? { value: datum } : promote(reader, writer, datum);
    if (promoted === null)
      return fail("refused", `expected ${shorten(typeName(reader))}, found ${shorten(typeName(writer))}`);
    const { value } = promoted;
    if (promoted.lost !== undefined) fail("meaning_lost", promoted.lost);
    const readerLogical = findLogicalType(reader);
    const writerLogical = findLogicalType(writer);
    if (readerLogical === null) return value;
    const written =
      writerLogical === null
        ? `${writer.kind} ${excerpt(datumToJson(writer, datum))}`
        : renderMeaning(writerLogical, datum);
    const read = renderMeaning(readerLogical, value);
    if (writerLogical === null ? read !== null : written === null || written === read) return value;
    fail(
      "meaning_lost",
      `${shorten(written!)} is ${read === null ? `not a valid ${describeLogicalType(readerLogical)}` : `read as ${read}`}`,
    );
    return value;
  }

  #record(
    reader: AvroRecord,
    writer: AvroRecord,
    datum: Map<string, AvroDatum>,
    readerAt: string,
    writerAt: string,
  ): AvroDatum {
    const writerFields = new Map(writer.fields.map((field, index) => [field.name, index]));
    const read = new Map<string, AvroDatum>();
    reader.fields.forEach((field, index) => {
      const fieldAt = `${readerAt}/fields/${index}`;
      const fail = (message: string) => this.#fail("refused", message, fieldAt, writerAt);
      const matches = findWriterFields(field, writerFields);
      const [match] = matches;
      if (matches.length > 1) {
        fail(`field "${shorten(field.name)}" matches several of the writer's fields`);
      } else if (match !== undefined) {
        const { name, type } = writer.fields[match]!;
        const value = this.read(
          field.type,
          type,
          datum.get(name)!,
          `${fieldAt}/type`,
          `${writerAt}/fields/${match}/type`,
        );
        read.set(field.name, value);
      } else if (field.defaultValue === null) {
        fail(`field "${shorten(field.name)}" is missing in the writer and has no default in the reader`);
      } else {
        const depth = this.#budget.depth;
        try {
          read.set(field.name, defaultDatum(field.type, field.defaultValue, this.#budget));
        } catch (error) {
          if (!(error instanceof DatumError)) throw error;
          this.#budget.depth = depth;
          fail(`the default of field "${shorten(field.name)}" cannot be used: ${error.message}`);
        }
      }
    });
    return read;
  }

  #fail(kind: ReadingFailure["kind"], message: string, readerPointer: string, writerPointer: string): null {
    if (this.failures.length < MAX_FAILURES && this.#isAskedFor(readerPointer, writerPointer)) {
      this.failures.push({ kind, message, readerPointer, writerPointer });
    }
    return null;
  }
}

const LENIENT_UTF8 = new TextDecoder("utf-8", { fatal: false, ignoreBOM: true });
const STRICT_UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

type Promoted = { value: AvroDatum; lost?: string };

/** The value promoted to the reader's type, with what the promotion loses; null if there is no promotion. */
function promote(reader: AvroType, writer: AvroType, datum: AvroDatum): Promoted | null {
  switch (`${writer.kind}>${reader.kind}`) {
    case "int>long":
      return { value: BigInt(datum as number) };
    case "float>double":
    case "int>double":
      return { value: datum };
    case "int>float":
    case "long>float":
    case "long>double": {
      const value = reader.kind === "float" ? Math.fround(Number(datum)) : Number(datum);
      return BigInt(value) === BigInt(datum as number | bigint)
        ? { value }
        : { value, lost: `${datum} is read as ${value}` };
    }
    case "string>bytes":
      return { value: new TextEncoder().encode(datum as string) };
    case "bytes>string": {
      const value = LENIENT_UTF8.decode(datum as Uint8Array);
      return isUtf8(datum as Uint8Array)
        ? { value }
        : { value, lost: `bytes ${excerpt(datumToJson(writer, datum))} are not valid UTF-8` };
    }
    default:
      return null;
  }
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    STRICT_UTF8.decode(bytes);
    return true;
  } catch {
    return false;
  }
}

function excerpt(value: unknown): string {
  return shorten(JSON.stringify(value) ?? "");
}
