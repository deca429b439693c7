/**
 * Converts a JSON value to a datum, or returns every reason why it is invalid. Unions may be wrapped in the name of
 * their branch, as in the JSON encoding, or plain; a field with a default may be omitted.
 */
import { type DataError, type DataWarning, MAX_DATA_ERRORS } from "../../data.ts";
import { describeValue } from "../../described-value.ts";

import { pointerToken } from "../../json-text.ts";
import { nearestWord } from "../../spelling.ts";
import { describeLogicalType } from "../logical-type.ts";
import { type AvroRecord, type AvroType, type AvroUnion, findLogicalType, typeName } from "../model.ts";
import { shorten } from "../names.ts";
import { type AvroDatum, DatumBudget, defaultDatum } from "./datum.ts";
import { renderMeaning } from "./meaning.ts";

type Members = Readonly<Record<string, unknown>>;

type ReadDatum = { datum: AvroDatum | undefined; errors: DataError[]; warnings: DataWarning[] };

/** Throws DatumError if the value exceeds a limit. */
export function readDatum(type: AvroType, value: unknown, maxNodes: number): ReadDatum {
  const reader = new JsonReader(maxNodes);
  const datum = reader.read(type, value, "", "");
  return { datum, errors: reader.errors, warnings: reader.warnings };
}

const MAX_WARNINGS = 20;
/** Names listed in a message. */
const MAX_NAMED = 8;
const BEYOND_ONE_BYTE = /[^\u0000-\u00ff]/;

class JsonReader {
  errors: DataError[] = [];
  warnings: DataWarning[] = [];
  readonly #budget: DatumBudget;

  constructor(maxNodes: number) {
    this.#budget = new DatumBudget(maxNodes);
  }

  /** The datum, or undefined after an error was recorded. */
  read(type: AvroType, value: unknown, at: string, schemaAt: string): AvroDatum | undefined {
    this.#budget.enter();
    const datum = this.#read(type, value, at, schemaAt);
    this.#budget.leave();
    const logicalType = datum === undefined ? null : findLogicalType(type);
    if (logicalType !== null && renderMeaning(logicalType, datum!) === null && this.warnings.length < MAX_WARNINGS) {
      const message = `${describeValue(value)} is not a valid ${describeLogicalType(logicalType)}.`;
      this.warnings.push({ rule: "logical_type", message, pointer: at });
    }
    return datum;
  }

  #read(type: AvroType, value: unknown, at: string, schemaAt: string): AvroDatum | undefined {
    switch (type.kind) {
      case "array": {
        if (!Array.isArray(value)) return this.#fail(type.kind, "an array", value, at, schemaAt);
        const items = value.map((item, index) => this.read(type.items, item, `${at}/${index}`, `${schemaAt}/items`));
        return items.includes(undefined) ? undefined : (items as AvroDatum[]);
      }
      case "map":
        if (!isMembers(value)) return this.#fail(type.kind, "an object", value, at, schemaAt);
        return this.#map(type.values, value, at, `${schemaAt}/values`);
      case "record":
        if (!isMembers(value)) {
          return this.#fail(type.kind, `an object of the record ${shorten(type.name.full)}`, value, at, schemaAt);
        }
        return this.#record(type, value, at, schemaAt);
      case "union":
        return this.#union(type, value, at, schemaAt);
      default: {
        const datum = simpleDatum(type, value);
        return datum === undefined ? this.#fail(type.kind, expectation(type), value, at, schemaAt) : datum;
      }
    }
  }

  #map(type: AvroType, members: Members, at: string, schemaAt: string): AvroDatum | undefined {
    const entries = new Map<string, AvroDatum>();
    let isWhole = true;
    for (const name of Object.keys(members)) {
      const value = this.read(type, members[name], `${at}/${pointerToken(name)}`, schemaAt);
      if (value === undefined) isWhole = false;
      else entries.set(name, value);
    }
    return isWhole ? entries : undefined;
  }

  #record(type: AvroRecord, members: Members, at: string, schemaAt: string): AvroDatum | undefined {
    const fields = new Map<string, AvroDatum>();
    let isWhole = true;
    type.fields.forEach((field, index) => {
      const fieldAt = `${schemaAt}/fields/${index}`;
      let value: AvroDatum | undefined;
      if (Object.hasOwn(members, field.name)) {
        value = this.read(field.type, members[field.name], `${at}/${pointerToken(field.name)}`, `${fieldAt}/type`);
      } else if (field.defaultValue === null) {
        const expected = `the field "${shorten(field.name)}", which has no default`;
        this.#note("field", expected, "an object without it", at, fieldAt);
      } else {
        value = defaultDatum(field.type, field.defaultValue, this.#budget);
      }
      if (value === undefined) isWhole = false;
      else fields.set(field.name, value);
    });
    if (fields.size < type.fields.length || Object.keys(members).length > fields.size) {
      if (!this.#hasOnlyFields(type, members, at, schemaAt)) isWhole = false;
    }
    return isWhole ? fields : undefined;
  }

  /** A misspelt name would otherwise be dropped, and its field would get the default. */
  #hasOnlyFields(type: AvroRecord, members: Members, at: string, schemaAt: string): boolean {
    const known = new Set(type.fields.map(({ name }) => name));
    let isKnown = true;
    for (const name of Object.keys(members)) {
      if (known.has(name)) continue;
      const meant = nearestWord(name, known);
      const hint = meant === undefined ? "" : ` (did you mean "${meant}"?)`;
      const got = `the unknown field ${describeValue(name)}${hint}`;
      const expected = `no more than the fields of ${shorten(type.name.full)}: ${listed([...known])}`;
      this.#note("unknown_field", expected, got, `${at}/${pointerToken(name)}`, `${schemaAt}/fields`);
      isKnown = false;
    }
    return isKnown;
  }

  #union({ branches }: AvroUnion, value: unknown, at: string, schemaAt: string): AvroDatum | undefined {
    const outer = { errors: this.errors, warnings: this.warnings };
    const attempt = (branch: number, inner: unknown, innerAt: string) => {
      this.errors = [];
      this.warnings = [];
      const { depth } = this.#budget;
      const read = this.read(branches[branch]!, inner, innerAt, `${schemaAt}/${branch}`);
      this.#budget.depth = depth;
      const tried = { read, errors: this.errors, warnings: this.warnings };
      ({ errors: this.errors, warnings: this.warnings } = outer);
      return tried;
    };
    const wrapped = this.#wrappedBranch(branches, value);
    let nearest: DataError[] | undefined;
    if (wrapped !== undefined) {
      const { branch, inner, name } = wrapped;
      const tried = attempt(branch, inner, `${at}/${pointerToken(name)}`);
      if (tried.read !== undefined) return this.#taken(branch, tried.read, tried.warnings);
      nearest = tried.errors;
    }
    for (const [branch, type] of branches.entries()) {
      if (!mayBe(type, value)) continue;
      const tried = attempt(branch, value, at);
      if (tried.read !== undefined) return this.#taken(branch, tried.read, tried.warnings);
      nearest ??= tried.errors;
    }
    if (nearest === undefined) {
      return this.#fail("union", `one of ${listed(branches.map(typeName))}`, value, at, schemaAt);
    }
    for (const error of nearest) if (this.errors.length < MAX_DATA_ERRORS) this.errors.push(error);
    return undefined;
  }

  #taken(branch: number, value: AvroDatum, warnings: readonly DataWarning[]): AvroDatum {
    for (const warning of warnings) if (this.warnings.length < MAX_WARNINGS) this.warnings.push(warning);
    return { branch, value };
  }

  #wrappedBranch(branches: readonly AvroType[], value: unknown) {
    if (!isMembers(value)) return undefined;
    const [name, ...others] = Object.keys(value);
    if (name === undefined || others.length > 0) return undefined;
    const branch = branches.findIndex((type) => type.kind !== "null" && typeName(type) === name);
    return branch === -1 ? undefined : { branch, name, inner: value[name] };
  }

  #fail(keyword: string, expected: string, value: unknown, at: string, schemaAt: string): undefined {
    this.#note(keyword, expected, describeValue(value), at, schemaAt);
  }

  #note(keyword: string, expected: string, got: string, pointer: string, schemaPointer: string): void {
    if (this.errors.length >= MAX_DATA_ERRORS) return;
    const message = `Expected ${expected}, got ${got}.`;
    this.errors.push({ pointer, keyword, schema_pointer: schemaPointer, message, expected, got });
  }
}

/** Whether a plain value can belong to a branch, judged by its kind without its parts. */
function mayBe(type: AvroType, value: unknown): boolean {
  switch (type.kind) {
    case "array":
      return Array.isArray(value);
    case "map":
    case "record":
      return isMembers(value);
    default:
      return simpleDatum(type, value) !== undefined;
  }
}

const MAX_INT = 2 ** 31 - 1;
const MAX_LONG = 2n ** 63n - 1n;

/** The datum of a type without parts; undefined if the value is invalid. */
function simpleDatum(type: AvroType, value: unknown): AvroDatum | undefined {
  switch (type.kind) {
    case "null":
      return value === null ? null : undefined;
    case "boolean":
      return typeof value === "boolean" ? value : undefined;
    case "int":
      return Number.isInteger(value) && (value as number) <= MAX_INT && (value as number) >= -MAX_INT - 1
        ? (value as number)
        : undefined;
    case "long": {
      const long = Number.isSafeInteger(value) ? BigInt(value as number) : value;
      return typeof long === "bigint" && long <= MAX_LONG && long >= -MAX_LONG - 1n ? long : undefined;
    }
    case "float":
    case "double":
      if (typeof value === "bigint") return Number(value);
      if (value === "NaN" || value === "Infinity" || value === "-Infinity") return Number(value);
      return typeof value === "number" ? value : undefined;
    case "bytes":
    case "fixed":
      if (typeof value !== "string" || BEYOND_ONE_BYTE.test(value)) return undefined;
      if (type.kind === "fixed" && value.length !== type.size) return undefined;
      return Uint8Array.from(value, (character) => character.charCodeAt(0));
    case "string":
      return typeof value === "string" && value.isWellFormed() ? value : undefined;
    case "enum":
      return typeof value === "string" && type.ordinals.has(value) ? value : undefined;
    default:
      return undefined;
  }
}

function expectation(type: AvroType): string {
  switch (type.kind) {
    case "int":
      return "a 32-bit int";
    case "long":
      return "a 64-bit long";
    case "float":
    case "double":
      return `a ${type.kind}: a number, "NaN", "Infinity" or "-Infinity"`;
    case "bytes":
      return "bytes: a string with one character U+0000 to U+00FF per byte";
    case "fixed":
      return `${type.size} bytes of ${shorten(type.name.full)}: a string with one character U+0000 to U+00FF per byte`;
    case "enum":
      return `a symbol of ${shorten(type.name.full)}: ${listed(type.symbols)}`;
    case "null":
      return "null";
    default:
      return `a ${type.kind}`;
  }
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, MAX_NAMED).map((name) => shorten(name));
  return names.length > shown.length ? `${shown.join(", ")} and ${names.length - shown.length} more` : shown.join(", ");
}

function isMembers(value: unknown): value is Members {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
