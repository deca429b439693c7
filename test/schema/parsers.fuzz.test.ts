import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { FORMAT_NAMES, type FormatName, type ParseOptions } from "../../schema/format.ts";
import { formatNamed } from "../../schema/formats.ts";
import { type Random, seededRandom } from "../support/clock.ts";
import { HISTORIES, hasCorpus } from "../support/corpus.ts";

const SECONDS = Number(process.env.FUZZ_SECONDS);
const SEED = Number(process.env.FUZZ_SEED ?? Date.now() % 1_000_000);
/** CPU time instead of wall-clock time, because a loaded machine is not a hang. */
const MAX_CPU_MS = 2_000;
const YIELD_EVERY = 100;
const MAX_MUTATIONS = 4;
const MAX_INPUT_CHARACTERS = 40_000;

/** A few examples of everything, in case the corpus is absent; mutations of real schemas reach deeper. */
const SEEDS: Record<FormatName, readonly string[]> = {
  avro: [
    '{"type":"record","name":"a.B","doc":"d","fields":[{"name":"x","type":["null",{"type":"enum","name":"E","symbols":["A","B"],"default":"A"}],"default":null},{"name":"y","type":{"type":"array","items":{"type":"map","values":"B"}},"aliases":["z"]}]}',
    '{"type":"fixed","name":"F","size":16,"logicalType":"decimal","precision":4,"scale":2}',
    '["null","string",{"type":"bytes","logicalType":"decimal","precision":4}]',
  ],
  "json-schema": [
    '{"$schema":"https://json-schema.org/draft/2020-12/schema","$id":"https://x.test/a","type":"object","properties":{"a":{"$ref":"#/$defs/b"},"c":{"type":["string","null"],"pattern":"^a+$"}},"required":["a"],"$defs":{"b":{"$anchor":"b","oneOf":[{"const":1e400},{"$ref":"#"}]}},"unevaluatedProperties":false}',
    '{"$schema":"http://json-schema.org/draft-07/schema#","definitions":{"a":{"allOf":[{"$ref":"#/definitions/a"},{"minimum":0,"exclusiveMaximum":5}]}},"if":{"minLength":2},"then":false}',
    '{"$schema":"http://json-schema.org/draft-04/schema#","id":"http://x.test/","type":"array","items":[{"type":"integer"}],"additionalItems":{"enum":[[1],{"a":null}]}}',
  ],
  prompt: [
    '{"syntax":"mustache","text":"Hello {{user.name}}{{#items}}, {{.}}{{/items}}","variables":{"type":"object","properties":{"user":{"type":"object","properties":{"name":{"type":"string"}}},"items":{"type":"array","items":{"type":"string"}}},"required":["user"]},"undefined":"lenient"}',
    '{"syntax":"jinja2","messages":[{"role":"system","content":"{% for i in items %}{{ i.name|upper }}{% endfor %}"},{"placeholder":"history"}],"variables":{"type":"object","properties":{"items":{"type":"array"},"history":{"type":"array"}}}}',
    '{"syntax":"handlebars","text":"{{role \\"system\\"}}{{#each a}}{{this}}{{else}}none{{/each}}","variables":{"type":"object","properties":{"a":{"type":"array"}}}}',
    '{"syntax":"f-string","text":"{a} {{b}}","variables":{"type":"object","properties":{"a":true}}}',
  ],
  "model-signature": [
    '{"dialect":"triton","inputs":{"a":{"tensor":{"dtype":"float32","shape":[-1,3]}},"b":{"schema":{"type":"string"},"optional":true}},"outputs":{"c":{"schema":{"type":"object"}}},"parameters":{"t":{"schema":{"type":"number"}}},"max_batch_size":8}',
  ],
  collection: [
    '{"embedding":{"model":"m","revision":"1","dimensions":768,"distance":"cosine","prefix":{"query":"q: "}},"chunk":{"type":"object","properties":{"page":{"type":"integer"}}},"splitter":{"size":512},"store":{"kind":"qdrant","name":"docs"},"payload_indexes":[{"field":"page","type":"integer"}]}',
  ],
  dataset: [
    '{"row":{"type":"object","properties":{"text":{"type":"string"},"label":{"type":"integer"}}},"classes":{"label":["neg","pos"]},"splits":{"train":{"rows":2}},"expectations":[{"name":"n","column":"text","max_null_rate":0},{"name":"e","expression":"row.label >= 0"}],"sketch":{"rows":2,"columns":{"label":{"nulls":0,"types":{"integer":2},"quantiles":[0,1],"top":[{"value":0,"count":1}]}}}}',
  ],
  evaluation: [
    '{"task":"t","task_version":1,"dataset":{"address":"https://x.test/d","split":"test","same_as":["https://y.test/d"]},"shots":5,"seeds":[1],"metrics":[{"name":"acc","lower_is_better":false,"minimum":0,"maximum":1}],"case":{"type":"object"},"generation":{"temperature":0}}',
  ],
  tool: [
    '{"name":"find","title":"Find","description":"Finds.","input":{"type":"object","properties":{"query":{"type":"string"},"limit":{"type":"integer","default":10}},"required":["query"]},"output":{"type":"array","items":{"$ref":"#/$defs/x"},"$defs":{"x":{"type":"string"}}},"annotations":{"readOnlyHint":true}}',
    '{"name":"a","inputSchema":{"type":"object"},"outputSchema":true,"_meta":{"a":1}}',
  ],
  protobuf: [
    'syntax = "proto3";\npackage a.b;\nimport "google/protobuf/timestamp.proto";\nmessage M { reserved 2, 9 to 11, 20 to max; oneof o { int32 x = 1 [json_name = "X", deprecated = true]; M m = 3; } map<string, google.protobuf.Timestamp> t = 4; enum E { Z = 0; option allow_alias = true; Y = 0; } }\nservice S { rpc R(stream M) returns (M); }\n',
    'syntax = "proto2";\nmessage M { required group G = 1 { optional string s = 2 [default = "a\\n\\x01"]; } extensions 100 to 200; extend M { repeated double d = 100 [packed = true]; } }\n',
    'edition = "2023";\noption features.field_presence = IMPLICIT;\nmessage M { string s = 1 [features.utf8_validation = NONE]; }\n',
  ],
};

const FRAGMENTS = [
  ..."{}[](),:;\"'\\/<>=",
  "\u0000",
  "\ud800",
  "\u202e",
  "null",
  "true",
  "-0",
  "1e999",
  "18446744073709551616",
  '"\\ud800"',
  '"$ref":"#"',
  '"$ref":"#/$defs/b/",',
  '"__proto__":{}',
  '"type":"record"',
  "reserved 1 to max;",
  "option (a.b).c = { d: [ 1, -inf ] };",
  "/*",
  "//",
  "[".repeat(2_000),
  '{"a":'.repeat(2_000),
  "message A {".repeat(500),
];

describe.each(FORMAT_NAMES)("parsing %s", (name) => {
  it(`terminates with a value for any text (${SECONDS} s, FUZZ_SEED=${SEED})`, async () => {
    const random = seededRandom(SEED);
    const seeds = [...SEEDS[name], ...corpusTexts(name)];
    const until = Date.now() + SECONDS * 1_000;
    let accepted = 0;
    let inputs = 0;
    while (Date.now() < until) {
      const text = mutated(seeds, random);
      inputs += 1;
      // The runner considers a worker dead if it is silent for a minute.
      if (inputs % YIELD_EVERY === 0) await new Promise((resolve) => setImmediate(resolve));
      if (withinTime(text, () => readsOrRefuses(name, text, random))) accepted += 1;
    }

    // Mutations that are never accepted would only test the first line of a parser.
    expect(accepted).toBeGreaterThan(0);
    process.stdout.write(`${name}: ${inputs} texts, ${accepted} of them valid schemas.\n`);
  });
});

/** True if the text was accepted; then everything derived from a schema must terminate, too. */
function readsOrRefuses(name: FormatName, text: string, random: Random): boolean {
  const format = formatNamed(name);
  const options: ParseOptions = {
    strictness: random() < 0.8 ? "new" : "stored",
    defaultDialect: random() < 0.5 ? "draft-07" : "2020-12",
    validateFields: random() < 0.5,
  };
  const parsed = format.parse({ text, references: [] }, options);
  if (!parsed.ok) {
    expect(["invalid", "too_complex"]).toContain(parsed.refusal.reason);
    expect(parsed.refusal.problems.length).toBeGreaterThan(0);
    return false;
  }
  const { model } = parsed.value;
  const canonical = format.canonicalText(model);
  const again = format.parse({ text: canonical, references: [] }, { ...options, strictness: "stored" });
  expect(again.ok, `the canonical text is refused: ${canonical.slice(0, 500)}`).toBe(true);
  if (again.ok) expect(format.canonicalText(again.value.model)).toBe(canonical);
  format.normalisedText(model);
  format.fields(model);
  format.topLevelNames?.(model);
  return true;
}

function withinTime<T>(text: string, read: () => T): T {
  const before = process.cpuUsage();
  try {
    const result = read();
    const { user, system } = process.cpuUsage(before);
    expect((user + system) / 1_000, "milliseconds of processor time").toBeLessThan(MAX_CPU_MS);
    return result;
  } catch (error) {
    throw new Error(`FUZZ_SEED=${SEED}, text ${JSON.stringify(text).slice(0, 3_000)}`, { cause: error });
  }
}

function mutated(seeds: readonly string[], random: Random): string {
  let text = pick(seeds, random);
  const mutations = 1 + Math.floor(random() * MAX_MUTATIONS);
  for (let n = 0; n < mutations; n += 1) text = mutate(text, seeds, random);
  return text.slice(0, MAX_INPUT_CHARACTERS);
}

function mutate(text: string, seeds: readonly string[], random: Random): string {
  const from = Math.floor(random() * text.length);
  const to = Math.min(text.length, from + 1 + Math.floor(random() ** 3 * 400));
  const [head, middle, tail] = [text.slice(0, from), text.slice(from, to), text.slice(to)];
  const other = pick(seeds, random);
  const at = Math.floor(random() * other.length);
  const choices: readonly (() => string)[] = [
    () => head + tail,
    () => head + middle + middle + tail,
    () => head + pick(FRAGMENTS, random) + tail,
    () => head + pick(FRAGMENTS, random) + middle + tail,
    () => head + other.slice(at, at + 200) + tail,
    () => head + String.fromCharCode(Math.floor(random() * 0x1_0000)) + tail,
    () => head + middle.replaceAll(/\d+/g, () => String(Math.floor(random() * 2 ** 33))) + tail,
    // Replacing a word by another from the same text keeps most texts well-formed.
    () => swapWords(text, random),
    () => swapWords(text, random),
    () => swapWords(text, random),
  ];
  return pick(choices, random)();
}

function swapWords(text: string, random: Random): string {
  const words = text.match(/[\w$.-]+/g) ?? [""];
  const [from, to] = [pick(words, random), pick(words, random)];
  const at = text.indexOf(from, Math.floor(random() * text.length));
  return at === -1 ? text : text.slice(0, at) + to + text.slice(at + from.length);
}

function pick<T>(from: readonly T[], random: Random): T {
  return from[Math.floor(random() * from.length)]!;
}

const ENDINGS: Partial<Record<FormatName, string>> = { avro: ".avsc", "json-schema": ".json", protobuf: ".proto" };

function corpusTexts(name: FormatName): string[] {
  if (!hasCorpus) return [];
  const ending = ENDINGS[name];
  if (ending === undefined) return [];
  return readdirSync(HISTORIES, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(ending) && !path.endsWith("meta.json"))
    .map((path) => readFileSync(join(HISTORIES, path), "utf8"))
    .filter((text) => text.length < MAX_INPUT_CHARACTERS);
}
