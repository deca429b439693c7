import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

/** What every SDK offers, in the order of the table in docs/sdks.md. */
const METHODS = [
  "register_schema",
  "get_schema",
  "get_version",
  "latest",
  "validate",
  "explain_validation",
  "validate_batch",
  "check_compatibility",
  "explain_compatibility",
  "search",
  "list_subjects",
  "list_versions",
  "update",
  "delete",
  "undelete",
  "project",
  "decode",
  "events",
  "health",
  "clear_cache",
  "cache_stats",
  "close",
];

/** Where each language's client declares its public methods, and how. */
const CLIENTS: Readonly<Record<string, { files: readonly string[]; method: RegExp }>> = {
  TypeScript: { files: ["sdks/typescript/src/client.ts"], method: /^ {2}(?:async )?(\w+)(?:<[^>]+>)?\(/gm },
  Python: { files: ["sdks/python/src/llm_schema_registry/client.py"], method: /^ {4}(?:async )?def ([a-z]\w*)\(/gm },
  "Python, synchronous": { files: ["sdks/python/src/llm_schema_registry/sync.py"], method: /^ {4}def ([a-z]\w*)\(/gm },
  Go: {
    files: ["sdks/go/client.go", "sdks/go/api.go", "sdks/go/events.go"],
    method: /^func \(c \*Client\) ([A-Z]\w*)\(/gm,
  },
  Java: {
    files: ["sdks/java/client/src/main/java/com/llm/schemaregistry/SchemaRegistry.java"],
    method: /^ {2}public (?!static)[\w<>?, ]+ (\w+)\(/gm,
  },
  Rust: { files: ["sdks/rust/src/client.rs", "sdks/rust/src/requests.rs"], method: /^ {4}pub (?:async )?fn (\w+)/gm },
};

function methodsOf(language: string): Set<string> {
  const { files, method } = CLIENTS[language]!;
  const names = files.flatMap((file) => [...readFileSync(file, "utf8").matchAll(method)].map(([, name]) => name!));
  return new Set(names.map((name) => name.replace(/(?<=[a-z])[A-Z]/g, (letter) => `_${letter}`).toLowerCase()));
}

describe("SDKs", () => {
  it.each(Object.keys(CLIENTS))("offers every method in %s", (language) => {
    const methods = methodsOf(language);

    expect(METHODS.filter((method) => !methods.has(method))).toEqual([]);
  });

  it("are documented with the methods that they have", () => {
    const page = readFileSync("docs/sdks.md", "utf8");
    const table = page.slice(page.indexOf("## Methods"), page.indexOf("## Numbers"));
    const named = [...table.matchAll(/^\| ([^|]+) \|/gm)].flatMap(([, cell]) => [...cell!.matchAll(/`(\w+)`/g)]);

    expect(named.map(([, name]) => name)).toEqual(METHODS);
  });
});
