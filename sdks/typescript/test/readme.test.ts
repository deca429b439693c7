/** Runs the README's code against a started registry, as one program, and compares what it prints with its comments. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it, vi } from "vitest";

const REGISTRY_URL = process.env.REGISTRY_URL;
const README = readFileSync(new URL("../README.md", import.meta.url), "utf8");
const folder = mkdtempSync(fileURLToPath(new URL("readme-", import.meta.url)));
afterAll(() => rmSync(folder, { recursive: true }));

describe.skipIf(REGISTRY_URL === undefined)("README.md", () => {
  it("prints what its comments say", async () => {
    const program = [...README.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code]) => code).join("\n");
    const imports = program.match(/^import .*$/gm) ?? [];
    const body = program.replace(/^import .*$/gm, "");
    const source = `${imports.join("\n")}\n${body}`
      .replaceAll("http://localhost:8080", REGISTRY_URL ?? "")
      .replaceAll(
        /"@llm\/schema-registry(\/zod)?"/g,
        (_all, subpath?: string) => `"../../src${subpath ?? "/index"}.ts"`,
      )
      // Other tests share the registry; this program's subjects are its own.
      .replaceAll("user-profile", `user-${process.pid}`)
      .replaceAll('prefix: "user-"', `prefix: "user-${process.pid}"`)
      .replaceAll('subject: "order"', `subject: "order-${process.pid}"`);
    const file = join(folder, "program.ts");
    writeFileSync(file, source);
    const printed: string[] = [];
    vi.spyOn(console, "log").mockImplementation(
      (...values: unknown[]) => void printed.push(values.map(show).join(" ")),
    );

    await import(/* @vite-ignore */ file);

    const expected = [...program.matchAll(/console\.log\(.*\);(?: \/\/ (.*))?$/gm)].map(([, comment]) => comment);
    expect(printed).toHaveLength(expected.length);
    for (const [index, comment] of expected.entries()) {
      if (comment === undefined) throw new Error(`The README does not say what line ${index + 1} prints.`);
      const wanted = comment
        .replaceAll("user-profile", `user-${process.pid}`)
        .replace(/registered 1$/, "registered \\d+");
      expect(printed[index]).toMatch(
        new RegExp(`^${wanted.replace(/[/.{}[\]()?*^$|]/g, "\\$&").replaceAll("\\\\d", "\\d")}$`),
      );
    }
  });
});

function show(value: unknown): string {
  if (typeof value !== "object" || value === null) return String(value);
  return JSON.stringify(value)
    .replaceAll(/"(\w+)":/g, " $1: ")
    .replace("}", " }");
}
