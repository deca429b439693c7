/**
 * Fields of a request body, coerced as Jackson does for the Confluent server: numbers and booleans become strings, numeric
 * strings become numbers, null means absent, unknown fields are ignored. A value that cannot be coerced is refused with 400.
 */
import type { RegistryError } from "../errors.ts";
import { refusing } from "../errors.ts";

const MAX_INTEGER = 2 ** 31 - 1;

export function readObjectFields(value: unknown, place = "The body"): Fields {
  if (value === null || value === undefined) throw refusing("UNPROCESSABLE", "The request body must not be null");
  return new Fields(requireObject(value, place), place);
}

export class Fields {
  readonly #values: Readonly<Record<string, unknown>>;
  readonly #place: string;

  constructor(values: Readonly<Record<string, unknown>>, place: string) {
    this.#values = values;
    this.#place = place;
  }

  /** Whether the field is present, even as null. */
  has(name: string): boolean {
    return Object.hasOwn(this.#values, name);
  }

  isNull(name: string): boolean {
    return this.has(name) && this.#values[name] === null;
  }

  text(name: string): string | undefined {
    const value = this.#value(name);
    return value === undefined ? undefined : requireText(value, this.#place, name);
  }

  integer(name: string): number | undefined {
    const value = this.#value(name);
    if (value === undefined || value === "") return undefined;
    const number = typeof value === "string" && /^\s*[+-]?\d+\s*$/.test(value) ? Number(value) : value;
    if (typeof number !== "number" || !Number.isFinite(number)) throw wrongType(this.#place, name, "an integer");
    const whole = Math.trunc(number);
    if (whole > MAX_INTEGER || whole < -MAX_INTEGER - 1) throw wrongType(this.#place, name, "a 32-bit integer");
    return whole;
  }

  boolean(name: string): boolean | undefined {
    const value = this.#value(name);
    if (value === undefined || value === "") return undefined;
    if (typeof value === "boolean") return value;
    if (typeof value === "number") return value !== 0;
    const word = typeof value === "string" ? value.trim().toLowerCase() : "";
    if (word !== "true" && word !== "false") throw wrongType(this.#place, name, "a boolean");
    return word === "true";
  }

  object(name: string): Fields | undefined {
    const value = this.#value(name);
    if (value === undefined) return undefined;
    const place = `${this.#place}, field "${name}"`;
    return new Fields(requireObject(value, place), place);
  }

  texts(name: string): string[] | undefined {
    return this.#list(name)
      ?.filter((item) => item !== null)
      .map((item) => requireText(item, this.#place, name));
  }

  objects(name: string): Fields[] | undefined {
    return this.#list(name)
      ?.filter((item) => item !== null)
      .map((item, index) => {
        const place = `${this.#place}, field "${name}", item ${index}`;
        return new Fields(requireObject(item, place), place);
      });
  }

  /** The JSON value as sent. */
  json(name: string): unknown {
    return this.#values[name];
  }

  /** A map of strings; null values are dropped. */
  textMap(name: string): Record<string, string> | undefined {
    return this.#map(name, (value, place, key) => requireText(value, place, key));
  }

  /** A map of string lists. */
  textsMap(name: string): Record<string, string[]> | undefined {
    return this.#map(name, (value, place, key) => {
      if (!Array.isArray(value)) throw wrongType(place, key, "a list");
      return value.filter((item) => item !== null).map((item) => requireText(item, place, key));
    });
  }

  oneOf<T extends string>(name: string, allowed: readonly T[]): T | undefined {
    const text = this.text(name);
    if (text === undefined || text === "") return undefined;
    const found = allowed.find((value) => value === text);
    if (found === undefined) throw wrongType(this.#place, name, `one of ${allowed.join(", ")}`);
    return found;
  }

  /** A refusal that names the field. */
  wrongType(name: string, expected: string): RegistryError {
    return wrongType(this.#place, name, expected);
  }

  #value(name: string): unknown {
    return Object.hasOwn(this.#values, name) ? (this.#values[name] ?? undefined) : undefined;
  }

  #list(name: string): unknown[] | undefined {
    const value = this.#value(name);
    if (value === undefined) return undefined;
    if (!Array.isArray(value)) throw wrongType(this.#place, name, "a list");
    return value;
  }

  #map<T>(name: string, read: (value: unknown, place: string, key: string) => T): Record<string, T> | undefined {
    const value = this.#value(name);
    if (value === undefined) return undefined;
    const place = `${this.#place}, field "${name}"`;
    const entries = Object.entries(requireObject(value, place))
      .filter(([, item]) => item !== null)
      .map(([key, item]): [string, T] => [key, read(item, place, key)]);
    return Object.fromEntries(entries);
  }
}

function requireText(value: unknown, place: string, name: string): string {
  if (typeof value === "string") return value;
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  throw wrongType(place, name, "a string");
}

function requireObject(value: unknown, place: string): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw refusing("BAD_REQUEST", `${place} must be a JSON object.`);
  }
  return value as Readonly<Record<string, unknown>>;
}

function wrongType(place: string, name: string, expected: string): RegistryError {
  return refusing("BAD_REQUEST", `${place}: "${name}" must be ${expected}.`);
}
