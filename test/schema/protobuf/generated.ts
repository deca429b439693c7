/**
 * Valid .proto texts of every edition, each generated from a tape of numbers, so that a shorter tape gives a smaller
 * text.
 */
import * as fc from "fast-check";

const SCALARS = [
  "double",
  "float",
  "int32",
  "int64",
  "uint32",
  "sint64",
  "fixed32",
  "sfixed64",
  "bool",
  "string",
  "bytes",
];
const MAP_KEYS = ["int32", "uint64", "sint32", "bool", "string"];
const CUSTOM_OPTIONS = `
message Custom { SCALAR string s = 1; repeated int32 n = 2; SCALAR Custom m = 3; map<string, int32> counts = 4; }
extend google.protobuf.FieldOptions { SCALAR Custom on_field = 50000; repeated string words = 50001; }
extend google.protobuf.MessageOptions { SCALAR Custom on_message = 50000; }
`;

type Edition = "proto2" | "proto3" | "2023" | "2024";

/** A .proto text that is valid as a new schema. */
export const protoText: fc.Arbitrary<string> = fc
  .array(fc.nat(1_000_000), { minLength: 1, maxLength: 300 })
  .map((tape) => new Grower(tape).file());

class Grower {
  #at = 0;
  #names = 0;
  /** Types declared so far, by full name. */
  readonly #messages: string[] = [];
  readonly #enums: string[] = [];
  #edition: Edition = "proto3";
  #package = "";

  readonly tape: readonly number[];

  constructor(tape: readonly number[]) {
    this.tape = tape;
  }

  file(): string {
    this.#edition = this.#pick(["proto2", "proto3", "2023", "2024"]);
    const usesEditions = this.#edition.startsWith("20");
    this.#package = this.#pick(["", "shop", "shop.orders.v1"]);
    const lines = [`${usesEditions ? "edition" : "syntax"} = "${this.#edition}";`];
    if (this.#package !== "") lines.push(`package ${this.#package};`);
    lines.push('import "google/protobuf/descriptor.proto";');
    if (this.#chance(3)) lines.push('import public "google/protobuf/timestamp.proto";');
    if (this.#chance(2)) lines.push('option java_package = "com.example\\n\\"quoted\\"";');
    if (this.#chance(3)) lines.push("option optimize_for = CODE_SIZE;");
    lines.push(CUSTOM_OPTIONS.replaceAll("SCALAR ", this.#edition === "proto2" ? "optional " : ""));
    for (let count = this.#number(4); count > 0; count--) lines.push(this.#enum(this.#package));
    for (let count = 1 + this.#number(4); count > 0; count--) lines.push(this.#message(this.#package, 0));
    if (this.#edition !== "proto3" && this.#chance(2)) lines.push(this.#extensible());
    if (this.#chance(2)) lines.push(this.#service());
    return `${lines.join(this.#pick(["\n", "\n\n", " "]))}\n`;
  }

  #enum(scope: string): string {
    const name = this.#name("Enum");
    const values = [`${this.#name("VALUE_").toUpperCase()} = 0;`];
    const count = this.#number(4);
    for (let index = 1; index <= count; index++) {
      const number = this.#chance(4) ? -index : index * 3;
      values.push(`${this.#name("VALUE_").toUpperCase()} = ${number}${this.#chance(4) ? " [deprecated = true]" : ""};`);
    }
    if (this.#chance(3)) values.push(this.#reserved());
    this.#enums.push(join(scope, name));
    return `enum ${name} { ${values.join(" ")} }`;
  }

  #message(scope: string, depth: number): string {
    const name = this.#name("Message");
    const fullName = join(scope, name);
    this.#messages.push(fullName);
    const parts: string[] = [];
    if (depth < 3) {
      if (this.#chance(4)) parts.push(this.#enum(fullName));
      if (this.#chance(3)) parts.push(this.#message(fullName, depth + 1));
    }
    if (this.#chance(4)) parts.push(`option (on_message) = ${this.#custom()};`);
    if (this.#chance(3)) parts.push(this.#reserved());
    let number = 1;
    for (let count = this.#number(6); count > 0; count--) {
      number += 1 + this.#number(3);
      parts.push(this.#field(number, fullName, depth));
    }
    if (this.#chance(3)) {
      const members: string[] = [];
      for (let count = 1 + this.#number(3); count > 0; count--) {
        number += 1;
        members.push(`${this.#type()} ${this.#name("choice_")} = ${number}${this.#options()};`);
      }
      parts.push(`oneof ${this.#name("pick_")} { ${members.join(" ")} }`);
    }
    const comment = this.#chance(3) ? "// Says what it is for.\n" : "";
    return `${comment}message ${name} { ${this.#shuffled(parts).join("\n")} }`;
  }

  #field(number: number, scope: string, depth: number): string {
    const name = this.#name("field_");
    if (this.#chance(5)) return `map<${this.#pick(MAP_KEYS)}, ${this.#type()}> ${name} = ${number};`;
    if (this.#edition === "proto2") {
      if (depth < 3 && this.#chance(8)) {
        return `optional group ${this.#name("Group")} = ${number} { ${this.#field(1, scope, 3)} }`;
      }
      const label = this.#pick(["optional", "required", "repeated"]);
      const withDefault = label === "optional" && this.#chance(3);
      if (withDefault) return `optional ${this.#default(name, number)};`;
      return `${label} ${this.#type()} ${name} = ${number}${this.#options()};`;
    }
    const label = this.#pick(this.#edition === "proto3" ? ["", "optional ", "repeated "] : ["", "repeated "]);
    const features =
      label === "" && this.#edition !== "proto3" && this.#chance(4)
        ? ` [features.field_presence = LEGACY_REQUIRED]`
        : this.#options();
    return `${label}${this.#type()} ${name} = ${number}${features};`;
  }

  #default(name: string, number: number): string {
    const [type, value] = this.#pick([
      ["string", '"a\\tb\\303\\274 \\u00e9"'],
      ["bytes", '"\\377\\000x\\""'],
      ["int32", "-16"],
      ["uint64", "18446744073709551615"],
      ["double", "-1.5"],
      ["float", "inf"],
      ["bool", "true"],
    ]);
    return `${type} ${name} = ${number} [default = ${value}]`;
  }

  #options(): string {
    const options: string[] = [];
    if (this.#chance(4)) options.push("deprecated = true");
    if (this.#chance(5)) options.push(`json_name = "${this.#name("json")}"`);
    const custom = this.#number(8);
    if (custom === 0) options.push(`(on_field) = ${this.#custom()}`);
    if (custom === 1) options.push('(on_field).s = "x"', "(on_field).n = 1", "(on_field).n = 2");
    if (this.#chance(6)) options.push('(words) = "one"', "(words) = 'two'");
    return options.length === 0 ? "" : ` [${options.join(", ")}]`;
  }

  #custom(depth = 0): string {
    const fields: string[] = [];
    if (this.#chance(2)) fields.push(`s: "text" 'more'`);
    if (this.#chance(2)) fields.push(this.#pick(["n: 1, n: -2", "n: [3, 4];", "n: []"]));
    if (this.#chance(3)) fields.push('counts { key: "a" value: 1 } counts: { key: "b" value: 2 }');
    if (depth < 2 && this.#chance(3)) fields.push(`m ${this.#custom(depth + 1)}`);
    return depth > 0 && this.#chance(3) ? `< ${fields.join(" ")} >` : `{ ${fields.join(" ")} }`;
  }

  #type(): string {
    const kind = this.#number(3);
    if (kind === 0 && this.#messages.length > 0) return this.#reference(this.#pick(this.#messages));
    if (kind === 1 && this.#enums.length > 0) return this.#reference(this.#pick(this.#enums));
    return this.#pick(SCALARS);
  }

  /** A full name, absolute or relative to the package: both resolve to the same from everywhere in the file. */
  #reference(fullName: string): string {
    if (this.#package !== "" && this.#chance(2)) return fullName.slice(this.#package.length + 1);
    return this.#chance(2) ? `.${fullName}` : fullName;
  }

  #reserved(): string {
    const numbers = ["reserved 1000, 1002 to 1005;", "reserved 2000 to max;", "reserved 1500;"];
    const names = this.#edition.startsWith("20") ? "reserved gone, left;" : 'reserved "gone", "left";';
    return this.#pick([...numbers, names]);
  }

  #extensible(): string {
    const name = this.#name("Extensible");
    const label = this.#edition === "proto2" ? "optional " : "";
    return [
      `message ${name} { extensions 100 to 199, 300; extensions 500 to max; }`,
      `extend ${name} { ${label}${this.#type()} ${this.#name("extra_")} = 100; }`,
      `extend ${name} { repeated ${this.#type()} ${this.#name("extra_")} = 300; }`,
    ].join("\n");
  }

  #service(): string {
    const methods: string[] = [];
    const type = () => `${this.#chance(3) ? "stream " : ""}${this.#reference(this.#pick(this.#messages))}`;
    for (let count = this.#number(3); count > 0; count--) {
      const tail = this.#pick([";", " {}", " { option idempotency_level = IDEMPOTENT; option deprecated = true; }"]);
      methods.push(`rpc ${this.#name("Method")}(${type()}) returns (${type()})${tail}`);
    }
    return `service ${this.#name("Service")} { ${methods.join(" ")} }`;
  }

  /** Names are numbered in letters, which every naming style allows. */
  #name(prefix: string): string {
    this.#names += 1;
    const letters = Array.from(String(this.#names), (digit) => "abcdefghij"[Number(digit)]).join("");
    return `${prefix}${letters}`;
  }

  #next(): number {
    const value = this.tape[this.#at % this.tape.length]!;
    this.#at += 1;
    // A short tape is reused; the turn varies its values, so that generation ends.
    return value + Math.floor(this.#at / this.tape.length);
  }

  #number(below: number): number {
    return this.#next() % below;
  }

  #chance(one: number): boolean {
    return this.#number(one) === 0;
  }

  #pick<T>(items: readonly T[]): T {
    return items[this.#number(items.length)]!;
  }

  #shuffled(items: readonly string[]): string[] {
    return items
      .map((item) => ({ item, rank: this.#next() }))
      .sort((a, b) => a.rank - b.rank)
      .map(({ item }) => item);
  }
}

function join(scope: string, name: string): string {
  return scope === "" ? name : `${scope}.${name}`;
}
