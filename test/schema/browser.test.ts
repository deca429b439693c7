import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { afterAll, describe, expect, it } from "vitest";
import { ROOT } from "../../scripts/install.mjs";
import { findChromium, renderedPage } from "../support/chromium.ts";
import { answers } from "./browser-comparison.ts";

const chromium = findChromium();
const folder = mkdtempSync(join(tmpdir(), "registry-browser-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const MODULES = ["schema", "contract"].flatMap((room) =>
  readdirSync(join(ROOT, room), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts"))
    .map((file) => join(room, file)),
);

/** Every module is loaded, whether or not the comparison needs it; errors are shown. */
const PAGE_SCRIPT = `
${MODULES.map((file) => `import "./${file}";`).join("\n")}
import { answers } from "./test/schema/browser-comparison.ts";
let shown;
try {
  shown = answers();
} catch (error) {
  shown = String(error?.stack ?? error);
}
document.body.textContent = encodeURIComponent(JSON.stringify(shown));
`;

async function bundle(): Promise<string> {
  const built = await build({
    stdin: { contents: PAGE_SCRIPT, resolveDir: ROOT, loader: "ts" },
    bundle: true,
    platform: "browser",
    format: "esm",
    write: false,
    // A module marked as free of side effects would be silently omitted.
    ignoreAnnotations: true,
    logLevel: "silent",
  });
  return built.outputFiles[0]!.text;
}

describe("schema/ and contract/ in a browser", () => {
  it("bundle without Node's modules", async () => {
    expect(await bundle()).not.toMatch(/\b(?:from|require\()\s*["']node:/);
  });

  it.skipIf(chromium === undefined)("give the same results in Chromium as in Node", { timeout: 120_000 }, async () => {
    const page = join(folder, "page.html");
    // "</script" inside a string would end the element.
    const script = (await bundle()).replaceAll("</script", "<\\/script");
    writeFileSync(page, `<!doctype html><meta charset="utf-8"><body><script type="module">${script}</script>`);

    const body = /<body>([^<]*)<\/body>/.exec(renderedPage(chromium!, join(folder, "profile"), page))?.[1];

    expect(JSON.parse(decodeURIComponent(body!.trim()))).toEqual(JSON.parse(JSON.stringify(answers())));
  });
});
