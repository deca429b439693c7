/** llmsr types: types of five languages for a schema. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { ResolvedReference } from "../../schema/format.ts";
import { formatNamed } from "../../schema/formats.ts";
import type { ProtobufModel } from "../../schema/protobuf/model.ts";
import type { CliCommand } from "../command.ts";
import { requireOneOf } from "../comparison.ts";
import { readSchema } from "../entries.ts";
import { EXIT } from "../exit-codes.ts";
import { jsonTypeOfAvro } from "../generate/from-avro.ts";
import { jsonTypeOfProtobuf } from "../generate/from-protobuf.ts";
import { generatePydantic } from "../generate/pydantic.ts";
import type { SchemaNode } from "../generate/schema-node.ts";
import type { Schema } from "../input/parse-schema.ts";
import { FORMAT_OPTIONS } from "../output/formats.ts";
import { parseOptions } from "../parse-options.ts";
import { REGISTRY_OPTIONS, REGISTRY_USAGE } from "../settings.ts";
import { UsageError } from "../usage-error.ts";
import { readInputOptions } from "./compare.ts";

const LANGUAGES = ["python", "typescript", "go", "java", "rust"] as const;

const TYPES_USAGE = `llmsr types writes types for a schema: Pydantic 2, TypeScript, Go, Java or Rust.

  llmsr types order.avsc --language python > order.py
  llmsr types orders@latest --language java --package com.example -o src/main/java/com/example

  -l, --language L      ${LANGUAGES.join(", ")}
  --name NAME           of the outermost type (the schema's title, or the file's name)
  --package NAME        of Go and Java (main, and schemas)
  -o, --output FOLDER   writes files; needed where there are several
  --ref NAME=FILE       what a reference resolves to; may be repeated
  --schema-format F     avro, json-schema or protobuf, where the file's ending does not say
${REGISTRY_USAGE}
Python keeps lengths, patterns, bounds and formats; the other languages have types alone. Types of an Avro schema are those
of its values in JSON, and types of a Protobuf message those of its JSON mapping. Rust needs serde and serde_json.
`;

const TYPES_OPTIONS = {
  ...REGISTRY_OPTIONS,
  ...FORMAT_OPTIONS,
  language: { type: "string", short: "l" },
  name: { type: "string" },
  package: { type: "string" },
  output: { type: "string", short: "o" },
  ref: { type: "string", multiple: true, default: [] as string[] },
} as const;

export const TYPES_COMMAND: CliCommand = {
  usage: TYPES_USAGE,
  options: TYPES_OPTIONS,
  async run(args, shell) {
    const { values, positionals } = parseOptions(args, TYPES_OPTIONS);
    const [reference, ...rest] = positionals;
    if (reference === undefined || rest.length > 0) throw new UsageError("types takes one schema.");
    if (values.language === undefined) throw new UsageError(`--language is required: ${LANGUAGES.join(", ")}.`);
    const language = requireOneOf("language", values.language, LANGUAGES);
    const schema = await readSchema(reference, values.ref, readInputOptions(values, shell));
    for (const note of schema.notes) shell.printError(`${note}\n`);
    const root = jsonTypeOf(schema);
    const name = values.name ?? titleOf(root) ?? schema.name;
    const files = await generate(root, name, language, values.package);
    const [only, ...others] = Object.entries(files);
    if (values.output === undefined) {
      if (others.length > 0) throw new UsageError(`${language} needs several files here: -o FOLDER.`);
      shell.print(only![1]);
      return EXIT.ok;
    }
    const folder = resolve(shell.cwd, values.output);
    mkdirSync(folder, { recursive: true });
    for (const [file, text] of Object.entries(files)) {
      writeFileSync(join(folder, file), text);
      if (!shell.isQuiet) shell.printError(`${join(values.output, file)}\n`);
    }
    return EXIT.ok;
  },
};

function jsonTypeOf(schema: Schema): SchemaNode {
  switch (schema.format) {
    case "avro":
      return jsonTypeOfAvro([...textsOf(schema.references), schema.text]);
    case "protobuf":
      return jsonTypeOfProtobuf(schema.model as ProtobufModel);
    default: {
      // With its references inside, because a generator reads one document.
      const bundled = formatNamed("json-schema").bundle(schema.model);
      return JSON.parse(bundled.ok ? bundled.value : schema.text) as SchemaNode;
    }
  }
}

/** Each text after those that it references. */
function textsOf(references: readonly ResolvedReference[], seen: Set<string> = new Set()): string[] {
  return references.flatMap(({ source }) => {
    if (seen.has(source.text)) return [];
    seen.add(source.text);
    return [...textsOf(source.references, seen), source.text];
  });
}

function titleOf({ title, $ref }: SchemaNode): string | undefined {
  return title ?? $ref?.slice($ref.lastIndexOf("/") + 1);
}

async function generate(
  root: SchemaNode,
  name: string,
  language: (typeof LANGUAGES)[number],
  packageName: string | undefined,
): Promise<Record<string, string>> {
  if (language === "python") return { [`${fileNameOf(name, "_")}.py`]: generatePydantic(root, name) };
  const { generateWithQuicktype } = await import("../generate/quicktype.ts");
  const files = await generateWithQuicktype(JSON.stringify(root), name, {
    language,
    packageName: packageName ?? (language === "go" ? "main" : "schemas"),
  });
  if (language === "java") return files;
  const endings = { typescript: "ts", go: "go", rust: "rs" };
  return {
    [`${fileNameOf(name, language === "typescript" ? "-" : "_")}.${endings[language]}`]:
      Object.values(files).join("\n"),
  };
}

function fileNameOf(name: string, separator: string): string {
  const words = name.replaceAll(/([a-z0-9])([A-Z])/g, "$1 $2").split(/[^A-Za-z0-9]+/);
  return (
    words
      .filter((word) => word !== "")
      .join(separator)
      .toLowerCase() || "schema"
  );
}
