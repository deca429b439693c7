import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import Ajv from "ajv/dist/2019.js";
import avsc from "avsc";
import protobufjs from "protobufjs";
import type { FormatName, SchemaFormat } from "../../schema/format.ts";
import { formatNamed } from "../../schema/formats.ts";
import type { Bench, BenchPart, Row } from "../part.ts";

const HISTORIES = join("..", "shared", "corpus", "histories");

type Text = { history: string; text: string };
type FormatBench = {
  name: FormatName;
  ending: string;
  /** Other libraries' equivalents on the same bytes, doing at most as much work as ours. */
  baselines: { what: string; read(text: string): void }[];
};

const FORMATS: readonly FormatBench[] = [
  { name: "json-schema", ending: ".json", baselines: [{ what: "JSON.parse", read: (text) => void JSON.parse(text) }] },
  {
    name: "avro",
    ending: ".avsc",
    baselines: [
      { what: "JSON.parse", read: (text) => void JSON.parse(text) },
      { what: "avsc's parsing", read: (text) => void avsc.Type.forSchema(JSON.parse(text)) },
    ],
  },
  {
    name: "protobuf",
    ending: ".proto",
    baselines: [{ what: "protobufjs's parsing", read: (text) => void protobufjs.parse(text, { keepCase: true }) }],
  },
];

/**
 * Parsing, canonical text and comparison, without a server, compared with other libraries on the same bytes in the same
 * run.
 */
export const science: BenchPart = {
  name: "science",
  title: "Parsing, canonical text and comparison",
  async run(bench) {
    return FORMATS.flatMap((format) => {
      bench.progress(format.name);
      const texts = corpusTexts(format.ending);
      return [
        ...parsing(bench, format, texts),
        ...growth(bench, format),
        ...wide(bench, format),
        ...comparison(bench, format, texts),
      ];
    });
  },
};

function corpusTexts(ending: string): Text[] {
  return readdirSync(HISTORIES)
    .sort()
    .flatMap((history) =>
      readdirSync(join(HISTORIES, history))
        .filter((file) => file.endsWith(ending) && file !== "meta.json")
        .sort()
        .map((file) => ({ history, text: readFileSync(join(HISTORIES, history, file), "utf8") })),
    );
}

function parsing(bench: Bench, { name, baselines }: FormatBench, texts: readonly Text[]): Row[] {
  const format = formatNamed(name);
  const readable = texts.filter(
    ({ text }) => baselines.every(({ read }) => !throws(() => read(text))) && parse(format, text),
  );
  const bytes = readable.reduce((sum, { text }) => sum + text.length, 0);
  const ours = medianMs(bench, () => {
    for (const { text } of readable) format.canonicalText(parse(format, text));
  });
  const rows: Row[] = [{ what: `${name}: parse + canonicalise`, value: bytes / 1e3 / ours, unit: "MB/s" }];
  for (const { what, read } of baselines) {
    const theirs = medianMs(bench, () => {
      for (const { text } of readable) read(text);
    });
    rows.push({ what: `${name}: parse + canonicalise / ${what}`, value: ours / theirs, unit: "× its time" });
  }
  return rows;
}

/** A schema a thousand times as large should take about a thousand times as long. */
function growth(bench: Bench, { name }: FormatBench): Row[] {
  const format = formatNamed(name);
  const perByte = (properties: number) => {
    const text = wideSchema(name, properties);
    return medianMs(bench, () => format.canonicalText(parse(format, text))) / text.length;
  };
  perByte(16);
  return [
    {
      what: `${name}: time a byte at 1 MB / at 1 kB`,
      // Below 19,000, where Protobuf's reserved numbers begin.
      value: perByte(bench.quick ? 2_000 : 16_000) / perByte(16),
      unit: "×",
      aim: { atMost: 4 },
    },
  ];
}

/**
 * One check of a schema of 300 fields, and the same against 100 versions of 200 to 299 fields, as a transitive level
 * requires.
 */
function wide(bench: Bench, { name }: FormatBench): Row[] {
  const format = formatNamed(name);
  const options = { policy: "semantic", writers: "declared" } as const;
  const versions = Array.from({ length: 101 }, (_, index) => parse(format, wideSchema(name, 200 + index)));
  const newest = versions.pop();
  const one = medianMs(bench, () => format.compare(newest, versions.at(-1), options));
  const all = medianMs(bench, () => {
    for (const version of versions) format.compare(newest, version, options);
  });
  return [
    { what: `${name}: one check of 300 fields`, value: one, unit: "ms" },
    { what: `${name}: a transitive check over 100 versions`, value: all, unit: "ms" },
  ];
}

function comparison(bench: Bench, { name }: FormatBench, texts: readonly Text[]): Row[] {
  const format = formatNamed(name);
  const options = { policy: "semantic", writers: "declared" } as const;
  const pairs = texts.slice(1).flatMap(({ history, text }, index) => {
    const earlier = texts[index]!;
    if (earlier.history !== history) return [];
    const reader = parse(format, text);
    const writer = parse(format, earlier.text);
    return reader && writer ? [{ reader, writer, texts: [text, earlier.text] as const }] : [];
  });
  const times = pairs.map(({ reader, writer }) => medianMs(bench, () => format.compare(reader, writer, options)));
  const rows: Row[] = [
    { what: `${name}: comparison of a real pair, median`, value: median(times), unit: "ms" },
    {
      what: `${name}: comparison of a real pair, slowest`,
      value: Math.max(...times),
      unit: "ms",
      aim: { atMost: 1_000 },
    },
  ];
  const theirs = rival(name, bench, pairs);
  if (theirs) {
    rows.push({
      what: `${theirs.what} / comparison, median of pairs`,
      value: median(theirs.times.map((time, index) => time / times[theirs.of[index]!]!)),
      unit: "× as long",
      aim: { atLeast: theirs.aim },
    });
  }
  return rows;
}

/** The time another library needs to parse the pair, which it must do before it can compare. */
function rival(name: FormatName, bench: Bench, pairs: readonly { texts: readonly [string, string] }[]) {
  const measure = (what: string, aim: number, work: (reader: string, writer: string) => void) => {
    const of: number[] = [];
    const times: number[] = [];
    pairs.forEach(({ texts: [reader, writer] }, index) => {
      if (throws(() => work(reader, writer))) return;
      of.push(index);
      times.push(medianMs(bench, () => work(reader, writer)));
    });
    return { what, aim, of, times };
  };
  if (name === "json-schema") {
    return measure("json-schema: ajv's compile of both", 10, (reader, writer) => {
      for (const text of [reader, writer]) {
        new Ajv({ strict: false, logger: false, validateSchema: false }).compile(withoutDialect(text));
      }
    });
  }
  if (name === "avro") {
    return measure("avro: avsc's resolver creation", 1, (reader, writer) => {
      const to = avsc.Type.forSchema(JSON.parse(reader));
      const from = avsc.Type.forSchema(JSON.parse(writer));
      try {
        to.createResolver(from);
      } catch {
        // It throws if the pair is incompatible, which is its result.
      }
    });
  }
  return undefined;
}

function withoutDialect(text: string): object {
  const { $schema: _dialect, ...schema } = JSON.parse(text) as Record<string, unknown>;
  return schema;
}

function wideSchema(name: FormatName, fields: number): string {
  const names = Array.from({ length: fields }, (_, index) => `field_number_${index}`);
  if (name === "avro") {
    return JSON.stringify({
      type: "record",
      name: "Wide",
      fields: names.map((field) => ({ name: field, type: ["null", "string"], default: null })),
    });
  }
  if (name === "json-schema") {
    return JSON.stringify({
      type: "object",
      properties: Object.fromEntries(names.map((field) => [field, { type: "string", maxLength: 100 }])),
    });
  }
  const lines = names.map((field, index) => `  optional string ${field} = ${index + 1};`);
  return `syntax = "proto3";\nmessage Wide {\n${lines.join("\n")}\n}\n`;
}

function parse(format: SchemaFormat<unknown>, text: string): unknown {
  const parsed = format.parse({ text, references: [] }, { strictness: "stored", defaultDialect: "2020-12" });
  return parsed.ok ? parsed.value.model : undefined;
}

function throws(work: () => void): boolean {
  try {
    work();
    return false;
  } catch {
    return true;
  }
}

function medianMs({ quick }: Bench, work: () => void): number {
  const times: number[] = [];
  const until = performance.now() + (quick ? 20 : 100);
  do {
    const began = performance.now();
    work();
    times.push(performance.now() - began);
  } while (performance.now() < until || times.length < 3);
  return median(times);
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
