/** The rules of the repository that a machine can check: imports, sizes, names, comments and links (CONTRIBUTING.md). */
import { existsSync, globSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, normalize, sep } from "node:path";
import { describe, expect, it } from "vitest";
import { LONG_TESTS } from "./long.ts";

/** The folders that contain our code and tests. */
const FOLDERS = [
  "schema",
  "contract",
  "observe",
  "registry",
  "tlog",
  "durable-objects",
  "db",
  "workers",
  "cli",
  "sdks",
  "scripts",
  "bench",
  "test",
];

/** What each folder may import, besides itself, by value or by type. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  contract: [],
  observe: [],
  schema: ["contract"],
  // A trace context travels with every call.
  registry: ["schema", "contract", "observe"],
  tlog: [],
  "durable-objects": ["schema", "contract", "registry", "observe", "tlog"],
  db: ["schema", "contract", "registry", "observe"],
  workers: ["schema", "contract", "registry", "observe", "tlog", "db", "durable-objects"],
  // The engine of the TypeScript package: the same retries and limits as every client.
  cli: ["schema", "contract", "tlog", "sdks"],
  // The validation engine that the TypeScript package bundles, and the contract that its models are compared with.
  sdks: ["schema", "contract"],
};

/** A larger import cycle is one module split into pieces that cannot be read separately. */
const MAX_CIRCLE_FILES = 3;

/** Packages that belong to one layer, and the folders that must not use them. */
const FOREIGN_PACKAGES: Record<string, RegExp> = {
  schema: /^(?:hono|drizzle-orm|@neondatabase|cloudflare:)/,
  contract: /^(?:hono|drizzle-orm|@neondatabase|cloudflare:)/,
  observe: /^(?:hono|drizzle-orm|@neondatabase|cloudflare:)/,
  registry: /^(?:hono|drizzle-orm|@neondatabase|cloudflare:)/,
  "durable-objects": /^(?:hono|drizzle-orm|@neondatabase)/,
  cli: /^(?:hono|drizzle-orm|@neondatabase|cloudflare:)/,
};

const BANNED_FOLDERS = ["utils", "util", "helpers", "helper", "common", "lib", "misc", "services", "shared", "types"];

/** A file above the first limit explains its content at the top; above the second it must be split. */
const LONG_LINES = 400;
const MAX_LINES = 600;

/** The marker of generated files. */
const OPENING_LINES = 12;

/**
 * Words that the glossary in docs/architecture.md has replaced, in identifiers, and exceptions where they mean
 * something else: labels of metrics, host names and Protobuf fields, and the spelling of stored bytes and of RPC
 * methods that another build may call.
 */
const RETIRED_WORDS: Record<string, { pattern: RegExp; except: readonly string[] }> = {
  "label (say semver, or tag)": {
    pattern: /\b\w*(?:[lL]abels?(?![a-z])|LABELS?)\w*/,
    except: [
      "observe/metrics.ts",
      "durable-objects/metrics/",
      "workers/metrics/",
      "durable-objects/webhooks/address.ts",
      "schema/protobuf/",
      "cli/generate/from-protobuf.ts",
      "registry/payloads.ts",
      "registry/payload-problem.ts",
      "db/projection/changes.ts",
      "durable-objects/primary/",
    ],
  },
  "searchable copy (say read model)": { pattern: /\b\w*(?:[sS]earchable|SEARCHABLE)\w*/, except: [] },
  "mark (say checkpoint)": { pattern: /\b(?:\w*[a-z])?Mark\b/, except: ["durable-objects/primary/"] },
  "erase (say hard-delete)": {
    pattern: /\b\w*(?:[eE]ras(?:e[ds]?|ures?|able)(?![a-z])|ERAS)\w*/,
    // The erasure of a person or a text, in the sense of the GDPR.
    except: [
      "registry/rpc.ts",
      "workers/backup/",
      "durable-objects/primary/",
      "durable-objects/directory/",
      "workers/access/administration.ts",
      "workers/access/key-hash.ts",
      "workers/http/access/admission.ts",
      "workers/http/native/",
      "workers/registry/audit/person.ts",
      "workers/registry/write/erasure.ts",
      "cli/",
    ],
  },
  // A feed's sockets that hibernate keep the word.
  "told (say reported, notified or nudged)": { pattern: /\b[tT]old\b/, except: ["durable-objects/feed/subscriber.ts"] },
};

/** What the engines of two or three formats do or limit alike, and name alike. */
const NAMES_OF_FORMATS = new Set([
  "CONFLUENT_KINDS",
  "ConfluentKind",
  "LOSSES",
  "Loss",
  "MAX_COMPARE_WORK",
  "MAX_FIELDS",
  "MAX_FIELD_DEPTH",
  "MAX_PROBLEMS",
  "Sampler",
  "canonicalText",
  "compareByConfluentRules",
  "compareInSlices",
  "confluentLine",
  "listFields",
  "normalisedText",
  "parseInSlices",
  "rateSeverity",
  "listTopLevelNames",
  "witnessesInSlices",
]);
const FORMAT_FOLDERS = ["schema/avro", "schema/json", "schema/protobuf"].map((folder) => normalize(`${folder}/`));
/** Both APIs may call the same thing by the same name. */
const API_FOLDERS = ["workers/http/native", "workers/http/confluent"].map((folder) => normalize(`${folder}/`));

/** Loaded by a runtime or bundled as modules, which take the exports by name. */
const ENTRY_POINTS = [
  "workers/index.ts",
  "workers/validation/isolate/",
  "bench/workers/",
  // Also imported by vitest.config.ts, outside the folders.
  "scripts/build-isolate.mjs",
].map(normalize);

/** The folders whose identifiers follow the glossary. */
const GLOSSARY_FOLDERS = Object.keys(MAY_IMPORT);

const EXPORTED_DECLARATION =
  /^export (?:declare )?(?:abstract )?(?:async )?(?:const|let|function\*?|class|type|interface|enum) (\w+)/gm;
const IMPORT = /^(?:import|export)\s+(?:[^;'"]*?from\s+)?["']([^"']+)["']/gm;
const VALUE_IMPORT = /^(?:import|export)\s+(?!type\b)(?:[^;'"]*?from\s+)?["']([^"']+)["']/gm;
const NAMED_IMPORT = /^(?:import|export)\s+([^;'"]*?)\s+from\s+["'](\.[^"']+)["']/gm;
const DYNAMIC_IMPORT = /\bimport\(\s*["']([^"']+)["']\s*\)/g;

describe("imports", () => {
  it("use file extensions, so that Node can run every script directly", () => {
    // The TypeScript package is compiled before it is run.
    const strays = FOLDERS.filter((folder) => folder !== "sdks")
      .flatMap(valueImports)
      .filter(({ specifier }) => specifier.startsWith(".") && !/\.(?:ts|tsx|mjs|json|generated\.txt)$/.test(specifier))
      .map(({ file, specifier }) => `${file} -> ${specifier}`);

    expect(strays).toEqual([]);
  });

  it.each(Object.entries(MAY_IMPORT))("allow %s to import only %j", (folder, allowed) => {
    const strays = imports(folder)
      .filter(({ target }) => ![folder, ...allowed].includes(topFolder(target)))
      .map(({ file, target }) => `${file} -> ${target}`);

    expect(strays).toEqual([]);
  });

  it(`have no cycles of more than ${MAX_CIRCLE_FILES} files, counting types`, () => {
    const targets = new Map<string, string[]>();
    for (const { file, target } of FOLDERS.filter((folder) => folder !== "test").flatMap(imports)) {
      targets.set(file, [...(targets.get(file) ?? []), target]);
    }

    expect(circles(targets).filter((circle) => circle.length > MAX_CIRCLE_FILES)).toEqual([]);
  });

  it.each(Object.entries(FOREIGN_PACKAGES))("keep %s free of %s", (folder, foreign) => {
    const strays = valueImports(folder)
      .filter(({ specifier }) => foreign.test(specifier))
      .map(({ file, specifier }) => `${file} -> ${specifier}`);

    expect(strays).toEqual([]);
  });

  it("import object classes into the Worker only in workers/index.ts", () => {
    const strays = valueImports("workers")
      .map(({ file, specifier }) => ({ file, target: normalize(join(dirname(file), specifier)) }))
      .filter(({ file, target }) => file !== join("workers", "index.ts") && declaresObjectClass(target))
      .map(({ file, target }) => `${file} -> ${target}`);

    expect(strays).toEqual([]);
  });
});

describe("schema and contract", () => {
  it.each([
    ["the clock", /\bDate\.now\b|\bnew Date\(\)|\bnew Date\b(?!\()|\bperformance\.now\b/],
    ["randomness", /\bMath\.random\b|\brandomUUID\b|\brandomBytes\b|\bgetRandomValues\b/],
    ["code made of text", /\bnew Function\b|\beval\(/],
    ["timers and the network", /\bsetTimeout\b|\bsetInterval\b|\bfetch\(/],
    ["what only Node has", /["']node:|\bBuffer\b|\bprocess\.|\brequire\("/],
  ])("never use %s", (_what, forbidden) => {
    const strays = ["schema", "contract"]
      .flatMap(sources)
      .filter((file) => !file.startsWith(join("contract", "vectors")) && forbidden.test(code(file)));

    expect(strays).toEqual([]);
  });
});

describe("log lines", () => {
  it("are written only by observe/log-line.ts, so that all have one form", () => {
    const strays = ["schema", "contract", "registry", "observe", "durable-objects", "db", "workers"]
      .flatMap(sources)
      .filter((file) => file !== join("observe", "log-line.ts") && /\bconsole\./.test(code(file)));

    expect(strays).toEqual([]);
  });
});

describe("files and folders", () => {
  it("are named for their content", () => {
    const strays = FOLDERS.flatMap(sources).filter((file) =>
      file.split(sep).some((part) => BANNED_FOLDERS.includes(part.replace(/\.[^.]+$/, ""))),
    );

    expect(strays).toEqual([]);
  });

  it(`open with their purpose if they have more than ${LONG_LINES} lines, and end before ${MAX_LINES}`, () => {
    const strays = FOLDERS.flatMap(sources)
      .filter((file) => !isGenerated(file))
      .map((file) => ({ file, text: readFileSync(file, "utf8") }))
      .filter(
        ({ text }) => lines(text) > (text.startsWith("/**\n") || text.startsWith("/** ") ? MAX_LINES : LONG_LINES),
      )
      .map(({ file, text }) => `${file}: ${lines(text)} lines`);

    expect(strays).toEqual([]);
  });

  it("open with a line saying when they run, if they are scripts", () => {
    const strays = sources("scripts").filter(
      (file) => !/^(?:#![^\n]*\n)?(?:\/\/|\/\*\*) \S/.test(readFileSync(file, "utf8")),
    );

    expect(strays).toEqual([]);
  });
});

describe("comments", () => {
  it("cite only files in the repository", () => {
    const strays = [...FOLDERS.flatMap(sources), ...documents()].filter((file) =>
      /\bDESIGN\b|\bspecs:/.test(file.endsWith(".md") ? readFileSync(file, "utf8") : comments(file)),
    );

    expect(strays).toEqual([]);
  });

  it("at the top of a file do not list who imports it", () => {
    const strays = FOLDERS.flatMap(sources).filter((file) =>
      /\b(?:imported|used|called) by\b/i.test(
        /^(?:#![^\n]*\n)?(?:\/\*\*[\s\S]*?\*\/|(?:\/\/[^\n]*\n)+)/.exec(readFileSync(file, "utf8"))?.[0] ?? "",
      ),
    );

    expect(strays).toEqual([]);
  });
});

describe("sentences", () => {
  it.each(["whoever", "nobody", "anybody", "somebody", "for ever"])("do not say %s", (word) => {
    const pattern = new RegExp(`\\b${word}\\b`, "i");
    const strays = [...GLOSSARY_FOLDERS.flatMap(sources), ...documents()].filter((file) =>
      pattern.test(readFileSync(file, "utf8")),
    );

    expect(strays).toEqual([]);
  });
});

describe("names", () => {
  it.each(Object.entries(RETIRED_WORDS))("do not use %s", (_word, { pattern, except }) => {
    const strays = GLOSSARY_FOLDERS.flatMap(sources)
      .filter((file) => !isGenerated(file) && !except.some((path) => file.startsWith(path)))
      .map((file) => ({ file, found: pattern.exec(withoutStrings(code(file)))?.[0] }))
      .filter(({ found }) => found !== undefined)
      .map(({ file, found }) => `${file}: ${found}`);

    expect(strays).toEqual([]);
  });

  it("are exported by one file each, except for what formats or APIs have in common", () => {
    const declaring = new Map<string, string[]>();
    // The clients are packages of their own, which name the API's things as the API does.
    for (const file of FOLDERS.filter((folder) => folder !== "test" && folder !== "sdks").flatMap(sources)) {
      for (const [, name] of code(file).matchAll(EXPORTED_DECLARATION)) {
        declaring.set(name!, [...new Set([...(declaring.get(name!) ?? []), file])]);
      }
    }
    const strays = [...declaring]
      .filter(([name, files]) => {
        const inFormats = NAMES_OF_FORMATS.has(name) && isOnePerFolder(files, FORMAT_FOLDERS);
        return files.length > 1 && !inFormats && !isOnePerFolder(files, API_FOLDERS);
      })
      .map(([name, files]) => `${name}: ${files.join(", ")}`);

    expect(strays).toEqual([]);
  });

  it("are exported only if another file imports them", () => {
    const imported = new Set(FOLDERS.flatMap(importedNames));
    const strays = FOLDERS.filter((folder) => folder !== "test" && folder !== "sdks")
      .flatMap(sources)
      .filter((file) => !isGenerated(file))
      .filter((file) => !ENTRY_POINTS.some((path) => file.startsWith(path)) && !imported.has(`${file} *`))
      .flatMap((file) => [...code(file).matchAll(EXPORTED_DECLARATION)].map(([, name]) => `${file} ${name}`))
      .filter((name) => !imported.has(name));

    expect(strays).toEqual([]);
  });

  it("of files use the glossary's words, and reference only for a schema reference", () => {
    const strays = GLOSSARY_FOLDERS.flatMap(sources).filter(
      (file) =>
        /(?:^|[/-])(?:label|searchable|mark|erase|told)s?(?=[-.])/.test(file) ||
        /\/compare\/(?:.*\/)?reference-/.test(file),
    );

    expect(strays).toEqual([]);
  });
});

describe("test/long.ts", () => {
  it.each(Object.values(LONG_TESTS).flat())("names existing files: %s", (pattern) => {
    expect(globSync(pattern)).not.toEqual([]);
  });
});

describe("the corpus beside the checkout", () => {
  it("is located in one place, so that code that needs it can be found and skipped", () => {
    const strays = sources("test")
      .filter((file) => file !== join("test", "support", "corpus.ts") && !file.startsWith(join("test", "clients")))
      .filter(
        (file) => /shared["'`), /.]+corpus/.test(readFileSync(file, "utf8")) && file !== join("test", "tidy.test.ts"),
      );

    expect(strays).toEqual([]);
  });
});

describe("README.md", () => {
  it("links every page of docs/", () => {
    const readme = readFileSync("README.md", "utf8");

    expect(globSync("docs/*.md").filter((page) => !readme.includes(`(${page})`))).toEqual([]);
  });
});

describe.skipIf(!existsSync("docs/architecture.md"))("docs/architecture.md", () => {
  it("names only existing paths", () => {
    const text = existsSync("docs/architecture.md") ? readFileSync("docs/architecture.md", "utf8") : "";
    const named = [...text.matchAll(/`([\w.-]+(?:\/[\w.*-]+)*\/?)`/g)].map(([, path]) => path!);
    const strays = named.filter((path) => isOurPath(path) && !existsSync(path));

    expect(strays).toEqual([]);
  });
});

/** Every relative import, including types. */
function imports(folder: string): { file: string; target: string }[] {
  return sources(folder).flatMap((file) =>
    [IMPORT, DYNAMIC_IMPORT].flatMap((pattern) =>
      [...readFileSync(file, "utf8").matchAll(pattern)]
        .filter(([, specifier]) => specifier!.startsWith("."))
        .map(([, specifier]) => ({ file, target: normalize(join(dirname(file), specifier!)) })),
    ),
  );
}

/** `file name` for each import of a folder's files, and `file *` for whole modules. */
function importedNames(folder: string): string[] {
  return sources(folder).flatMap((file) => {
    const text = readFileSync(file, "utf8");
    const target = (specifier: string) => normalize(join(dirname(file), specifier));
    return [
      ...[...text.matchAll(NAMED_IMPORT)].flatMap(([, clause, specifier]) =>
        [...clause!.matchAll(/[\w*]+/g)].map(([name]) => `${target(specifier!)} ${name}`),
      ),
      ...[...text.matchAll(DYNAMIC_IMPORT)].map(([, specifier]) => `${target(specifier!)} *`),
    ];
  });
}

/** Tarjan's strongly connected components with more than one file. */
function circles(targets: ReadonlyMap<string, readonly string[]>): string[][] {
  const found: string[][] = [];
  const index = new Map<string, number>();
  const lowest = new Map<string, number>();
  const open: string[] = [];
  const visit = (file: string): void => {
    index.set(file, index.size);
    lowest.set(file, index.get(file)!);
    open.push(file);
    for (const target of targets.get(file) ?? []) {
      if (!index.has(target)) visit(target);
      if (open.includes(target)) lowest.set(file, Math.min(lowest.get(file)!, lowest.get(target)!));
    }
    if (lowest.get(file) !== index.get(file)) return;
    const circle = open.splice(open.indexOf(file));
    if (circle.length > 1) found.push(circle.sort());
  };
  for (const file of targets.keys()) if (!index.has(file)) visit(file);
  return found;
}

function valueImports(folder: string): { file: string; specifier: string }[] {
  return sources(folder).flatMap((file) =>
    [VALUE_IMPORT, DYNAMIC_IMPORT].flatMap((pattern) =>
      [...readFileSync(file, "utf8").matchAll(pattern)].map(([, specifier]) => ({ file, specifier: specifier! })),
    ),
  );
}

function sources(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((path) => join(folder, path))
    .filter((path) => /\.(?:ts|tsx|mjs)$/.test(path) && !/node_modules|dist\//.test(path) && statSync(path).isFile());
}

/** The text without comments, which may mention what code must not contain. */
function code(file: string): string {
  return readFileSync(file, "utf8")
    .replaceAll(/\/\*[\s\S]*?\*\//g, "")
    .replaceAll(/(^|\s)\/\/[^\n]*/g, "$1");
}

function comments(file: string): string {
  return [...readFileSync(file, "utf8").matchAll(/\/\*[\s\S]*?\*\/|(?:^|\s)\/\/[^\n]*/g)]
    .map(([text]) => text)
    .join("\n");
}

function withoutStrings(text: string): string {
  return text.replaceAll(/"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'/g, '""').replaceAll(/`(?:[^`\\]|\\.)*`/g, "``");
}

/** Every document of the repository. */
function documents(): string[] {
  return globSync(["*.md", "docs/**/*.md"]);
}

function lines(text: string): number {
  return text.split("\n").length - 1;
}

function opening(file: string): string {
  return readFileSync(file, "utf8").split("\n").slice(0, OPENING_LINES).join("\n");
}

function isGenerated(file: string): boolean {
  return /generated/i.test(file) || /generated/i.test(opening(file));
}

function declaresObjectClass(file: string): boolean {
  return existsSync(file) && /export class \w+ extends DurableObject\b/.test(readFileSync(file, "utf8"));
}

function isOnePerFolder(files: readonly string[], folders: readonly string[]): boolean {
  const found = files.map((file) => folders.find((folder) => file.startsWith(folder)));
  return !found.includes(undefined) && new Set(found).size === files.length;
}

function topFolder(path: string): string {
  return path.split(sep)[0]!;
}

/** A word in backticks is a path of ours if its first part is a folder of the repository. */
function isOurPath(path: string): boolean {
  return path.includes("/") && !path.includes("*") && [...FOLDERS, "docs"].includes(path.split("/")[0]!);
}
