import { describe, expect, it } from "vitest";
import type { ResolvedReference } from "../../../schema/format.ts";
import { MAX_PROBLEMS } from "../../../schema/protobuf/check/context.ts";
import { listFields, MAX_FIELD_DEPTH, MAX_FIELDS } from "../../../schema/protobuf/fields.ts";
import { MAX_FILES, MAX_NAMES_LENGTH, MAX_SOURCES, MAX_VISIBLE_FILES } from "../../../schema/protobuf/parse/link.ts";
import { MAX_MESSAGE_DEPTH } from "../../../schema/protobuf/parse/message.ts";
import { MAX_OPTION_DEPTH } from "../../../schema/protobuf/parse/options.ts";
import { MAX_ELEMENTS, MAX_TEXT_LENGTH } from "../../../schema/protobuf/parse/tokens.ts";
import { modelOf, parseNew, parseStored, reference } from "./sources.ts";

const PROTO3 = 'syntax = "proto3";';

describe("MAX_MESSAGE_DEPTH", () => {
  const nested = (depth: number) => PROTO3 + "message A{".repeat(depth) + "}".repeat(depth);

  it("accepts messages of that nesting", () => {
    expect(parseNew(nested(MAX_MESSAGE_DEPTH)).ok).toBe(true);
  });

  it("refuses one more level", () => {
    expect(outcome(nested(MAX_MESSAGE_DEPTH + 1))).toBe("too_complex message_too_deep");
  });

  it("refuses fifty thousand levels without a stack overflow", () => {
    expect(outcome(nested(50_000))).toBe("too_complex message_too_deep");
  });

  it("counts groups as messages", () => {
    const group = "optional group G=1{";
    const text = `syntax="proto2";message A{${group.repeat(MAX_MESSAGE_DEPTH)}${"}".repeat(MAX_MESSAGE_DEPTH)}}`;

    expect(outcome(text)).toBe("too_complex message_too_deep");
  });
});

describe("MAX_OPTION_DEPTH", () => {
  const nested = (depth: number) =>
    `${PROTO3}import "google/protobuf/descriptor.proto"; message M { M m = 1; }
     extend google.protobuf.FileOptions { M o = 50000; } option (o) = ${"{m:".repeat(depth - 1)}{}${"}".repeat(depth - 1)};`;

  it("accepts values of that nesting", () => {
    expect(parseNew(nested(MAX_OPTION_DEPTH)).ok).toBe(true);
  });

  it("refuses one more level", () => {
    expect(outcome(nested(MAX_OPTION_DEPTH + 1))).toBe("too_complex option_too_deep");
  });
});

describe("MAX_ELEMENTS", () => {
  // The enum itself is also an element.
  const values = (count: number) =>
    `${PROTO3}enum E{${Array.from({ length: count - 1 }, (_, index) => `V${index}=${index};`).join("")}}`;

  it("accepts that many values of an enum", () => {
    expect(parseNew(values(MAX_ELEMENTS)).ok).toBe(true);
  });

  it("refuses one more", () => {
    expect(outcome(values(MAX_ELEMENTS + 1))).toBe("too_complex too_many_elements");
  });

  it("counts imported types", () => {
    const half = Math.ceil(MAX_ELEMENTS / 2) + 1;
    const own = [reference("a.proto", values(half)), reference("b.proto", values(half).replace("enum E", "enum F"))];

    expect(outcome(`${PROTO3}import "a.proto";import "b.proto";`, own)).toBe("too_complex invalid_import");
  });
});

describe("MAX_TEXT_LENGTH", () => {
  const long = (length: number) => `${PROTO3}//`.padEnd(length, "x");

  it("accepts a text of that length", () => {
    expect(parseNew(long(MAX_TEXT_LENGTH)).ok).toBe(true);
  });

  it("refuses one more character", () => {
    expect(outcome(long(MAX_TEXT_LENGTH + 1))).toBe("too_complex text_too_long");
  });
});

describe("MAX_FILES", () => {
  /** A chain of files, each importing the next; the schema itself is one more file. */
  const chain = (length: number): ResolvedReference[] => {
    let own: ResolvedReference[] = [];
    for (let index = length - 1; index >= 0; index--) {
      const next = index === length - 1 ? "" : `import "f${index + 1}.proto";`;
      own = [reference(`f${index}.proto`, `${PROTO3}${next}message M${index}{}`, own)];
    }
    return own;
  };
  const text = `${PROTO3}import "f0.proto";`;

  it("accepts that many files", () => {
    expect(parseNew(text, chain(MAX_FILES - 1)).ok).toBe(true);
  });

  it("refuses one more", () => {
    expect(outcome(text, chain(MAX_FILES))).toBe("too_complex too_many_files");
  });
});

describe("MAX_VISIBLE_FILES", () => {
  /** A chain of public imports: each file sees all files after it, and the schema sees them all. */
  const chain = (length: number): ResolvedReference[] => {
    const own: ResolvedReference[] = [];
    for (let index = 0; index < length; index++) {
      const next = index === length - 1 ? "" : `import public "f${index + 1}.proto";`;
      own.push(reference(`f${index}.proto`, PROTO3 + next));
    }
    return own;
  };
  const text = `${PROTO3}import "f0.proto";`;
  /** Files of a chain, including itself, with this many visible files in total: n(n + 1) / 2. */
  const longest = Math.floor((Math.sqrt(8 * MAX_VISIBLE_FILES + 1) - 1) / 2);

  it("accepts that many visible files", () => {
    expect(parseNew(text, chain(longest - 1)).ok).toBe(true);
  });

  it("refuses one more file", () => {
    expect(outcome(text, chain(longest))).toBe("too_complex too_many_visible_files");
  });
});

describe("MAX_SOURCES", () => {
  /** Unused references that are searched for the missing import. */
  const unused = (count: number) => Array.from({ length: count }, (_, index) => reference(`f${index}.proto`, PROTO3));
  const text = `${PROTO3}import "missing.proto";`;

  it("searches that many references", () => {
    expect(outcome(text, unused(MAX_SOURCES - 1))).toBe("invalid unresolved_import");
  });

  it("refuses one more", () => {
    expect(outcome(text, unused(MAX_SOURCES))).toBe("too_complex too_many_references");
  });
});

describe("MAX_NAMES_LENGTH", () => {
  /** One long name, repeated in the full name of each field. */
  const fields = (length: number, count: number) =>
    `${PROTO3}message ${"A".repeat(length)}{${Array.from({ length: count }, (_, index) => `bool ${"b".repeat(index + 1)}=${index + 1};`).join("")}}`;
  const length = 1_000_000;

  it("accepts full names of that length together", () => {
    expect(parseNew(fields(length, Math.floor(MAX_NAMES_LENGTH / (length + 50)) - 1)).ok).toBe(true);
  });

  it("refuses more", () => {
    expect(outcome(fields(length, Math.ceil(MAX_NAMES_LENGTH / length)))).toBe("too_complex names_too_long");
  });
});

describe("MAX_PROBLEMS", () => {
  it("is the maximum number of errors in a check", () => {
    const fields = Array.from({ length: MAX_PROBLEMS * 2 }, (_, index) => `bool b${index} = 19000;`).join("");
    const result = parseNew(`${PROTO3}message A{${fields}}`);

    expect(result.ok ? 0 : result.refusal.problems.length).toBe(MAX_PROBLEMS);
  });
});

describe("MAX_FIELDS and MAX_FIELD_DEPTH", () => {
  it("limit a list of fields that doubles with every level", () => {
    const messages = Array.from(
      { length: 60 },
      (_, index) => `message M${index} { M${index + 1} a = 1; M${index + 1} b = 2; }`,
    );
    const model = modelOf(`${PROTO3}${messages.join("")}message M60 {}`);

    const fields = listFields(model);

    expect(fields).toHaveLength(MAX_FIELDS);
    expect(Math.max(...fields.map(({ path }) => path.split(".").length - 1))).toBe(MAX_FIELD_DEPTH);
  });

  it("accept a whole schema within them", () => {
    const messages = Array.from(
      { length: MAX_FIELD_DEPTH },
      (_, index) => `message M${index} { M${index + 1} a = 1; }`,
    );
    const model = modelOf(`${PROTO3}${messages.join("")}message M${MAX_FIELD_DEPTH} {}`);

    expect(listFields(model)[MAX_FIELD_DEPTH - 1]!.path).toBe(`M0${".a".repeat(MAX_FIELD_DEPTH)}`);
  });
});

/**
 * Inputs with a high cost for their size: each must terminate quickly. The limit is generous because the machine may be
 * busy.
 */
/** A test that takes longer fails; each takes less than a second on an idle core. */
const PATIENCE_MS = 20_000;
const MEGABYTE = 1_000_000;
const many = (count: number, item: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => item(index)).join("");
const DESCRIPTOR = 'import "google/protobuf/descriptor.proto";';

const hostile: Record<string, () => string> = {
  "a megabyte of identifier": () => `${PROTO3}message ${"a".repeat(MEGABYTE)} { ${"b".repeat(MEGABYTE)} c = 1; }`,
  "half a million parts of a type name": () => `${PROTO3}message A { ${"a.".repeat(MEGABYTE / 2)}a x = 1; }`,
  "a megabyte of digits": () => `${PROTO3}option x = ${"1".repeat(MEGABYTE)};`,
  "a megabyte of escapes": () => `${PROTO3}option java_package = "${"\\n".repeat(MEGABYTE / 2)}";`,
  "a quarter million adjacent strings": () => `${PROTO3}option java_package = ${'"x" '.repeat(MEGABYTE / 4)};`,
  "two hundred thousand lines of comment": () => `${PROTO3}${"// x\n".repeat(MEGABYTE / 5)}message A {}`,
  "one comment of two hundred thousand lines": () => `${PROTO3}/*${"\n * x".repeat(MEGABYTE / 5)}*/message A {}`,
  "ninety thousand fields": () => `${PROTO3}message A{${many(90_000, (i) => `int32 f${i}=${i + 20_000};`)}}`,
  "ninety thousand fields of one number": () => `${PROTO3}message A{${many(90_000, (i) => `int32 f${i}=1;`)}}`,
  "ninety thousand fields of one name": () => `${PROTO3}message A{${many(90_000, (i) => `int32 f=${i + 20_000};`)}}`,
  "forty thousand imports": () => PROTO3 + many(40_000, (i) => `import "a${i}.proto";`),
  "forty thousand imports of one file": () => PROTO3 + 'import "google/protobuf/any.proto";'.repeat(40_000),
  "forty thousand reserved ranges": () =>
    `${PROTO3}message A{${many(40_000, (i) => `reserved ${2 * i + 1};`)}${many(5_000, (i) => `int32 f${i}=${2 * i + 2};`)}}`,
  "ninety thousand extensions of one number": () =>
    `syntax="proto2";message A{extensions 1;}extend A{${many(90_000, (i) => `optional int32 f${i}=1;`)}}`,
  "twenty thousand extension ranges, each used": () =>
    `syntax="proto2";message A{${many(20_000, (i) => `extensions ${3 * i + 20_000};`)}}extend A{${many(20_000, (i) => `optional int32 f${i}=${3 * i + 20_000};`)}}`,
  "ten thousand options in one message": () =>
    `${PROTO3}${DESCRIPTOR}extend google.protobuf.FileOptions{M r=50000;}message M{${many(10_000, (i) => `int32 f${i}=${i + 20_000};`)}}${many(10_000, (i) => `option (r).f${i}=1;`)}`,
  "ten thousand members of one oneof set": () =>
    `${PROTO3}${DESCRIPTOR}extend google.protobuf.FileOptions{M r=50000;}message M{oneof o{${many(10_000, (i) => `int32 f${i}=${i + 20_000};`)}}}${many(10_000, (i) => `option (r).f${i}=1;`)}`,
  "fifteen thousand defaults of a large enum": () =>
    `syntax="proto2";enum E{${many(30_000, (i) => `F${i}=${i};`)}}message A{${many(15_000, (i) => `optional E f${i}=${i + 20_000}[default=F${i + 10_000}];`)}}`,
  "a scope of a hundred levels looked through three thousand times": () =>
    `${PROTO3}package ${"a.".repeat(99)}a; message A { ${many(3_000, (i) => `b.${"a.".repeat(500)}c f${i}=${i + 1};`)} }`,
  "fifty thousand open brackets after a group": () =>
    `syntax="proto2";message A{${"optional group G=1[".repeat(50_000)}`,
  "four megabytes of base64": () => "A".repeat(4_000_000),
};

describe("parseProtobuf of hostile texts", () => {
  it.each(Object.entries(hostile))(
    "terminates with %s",
    (_, make) => {
      const text = make();

      const results = [parseNew(text), parseStored(text)];

      expect(results.every((result) => result.ok || result.refusal.problems.length > 0)).toBe(true);
    },
    PATIENCE_MS,
  );

  it("refuses a base64 descriptor that nests deeper than a text may", () => {
    let bytes = Buffer.from([0x0a, 1, 65]);
    for (let depth = 0; depth < 60; depth++) bytes = Buffer.concat([Buffer.from([0x1a]), varint(bytes.length), bytes]);
    const descriptor = Buffer.concat([Buffer.from([0x0a, 1, 97, 0x22]), varint(bytes.length), bytes]);

    expect(outcome(descriptor.toString("base64"))).toBe("too_complex message_too_deep");
  });

  it("refuses a base64 descriptor of too many elements", () => {
    const message = Buffer.from([0x22, 3, 0x0a, 1, 65]);
    const descriptor = Buffer.concat([
      Buffer.from([0x0a, 1, 97]),
      ...Array.from({ length: MAX_ELEMENTS + 1 }, () => message),
    ]);

    expect(outcome(descriptor.toString("base64"))).toBe("too_complex too_many_elements");
  });
});

function outcome(text: string, own: readonly ResolvedReference[] = []): string {
  const result = parseNew(text, own);
  return result.ok ? "ok" : `${result.refusal.reason} ${result.refusal.problems[0]!.rule}`;
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>>= 7) {
    if (rest < 0x80) return Buffer.from([...bytes, rest]);
    bytes.push((rest & 0x7f) | 0x80);
  }
}
