// Run by run.ts, with openai and @anthropic-ai/sdk installed: the output of the providers' own transformers for
// projected schemas.
import { createInterface } from "node:readline";
import { isDeepStrictEqual } from "node:util";
import { transformJSONSchema } from "@anthropic-ai/sdk/lib/transform-json-schema";
import { toStrictJsonSchema } from "openai/lib/transform";

const counts = {};
const problems = [];
const add = (key) => {
  counts[key] = (counts[key] ?? 0) + 1;
};

/** The API accepts these and the SDK moves them into the description; it requires enum and const without type. */
function asTheSdkWrites(node) {
  if (Array.isArray(node)) return node.map(asTheSdkWrites);
  if (typeof node !== "object" || node === null) return node;
  const { pattern, default: _, ...rest } = node;
  if ("enum" in rest || "const" in rest) delete rest.type;
  delete rest.description;
  return Object.fromEntries(Object.entries(rest).map(([key, value]) => [key, asTheSdkWrites(value)]));
}

for await (const line of createInterface({ input: process.stdin })) {
  const { profile, name, schema } = JSON.parse(line);
  try {
    if (profile === "openai-strict") {
      const strict = toStrictJsonSchema(structuredClone(schema));
      add(`openai ${isDeepStrictEqual(strict, schema) ? "unchanged" : "taken, and rewritten"}`);
    } else if (profile === "anthropic-strict") {
      const sent = transformJSONSchema(structuredClone(schema));
      const isFixed = isDeepStrictEqual(asTheSdkWrites(sent), asTheSdkWrites(schema));
      add(`anthropic ${isFixed ? "unchanged" : "rewritten"}`);
      if (!isFixed) problems.push(`anthropic ${name}: ${JSON.stringify(sent).slice(0, 400)}`);
    }
  } catch (error) {
    add(`${profile} refused`);
    problems.push(`${profile} ${name}: ${error.message.slice(0, 300)}`);
  }
}
console.log(JSON.stringify({ counts, problems: problems.slice(0, 40), problemsTotal: problems.length }, null, 2));
