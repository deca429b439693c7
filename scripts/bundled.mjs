// Imported by backup.mjs and restore.mjs: loads a script together with the modules that it shares with the Worker.
import { join } from "node:path";
import { ensureInstalled, ROOT } from "./install.mjs";

/** The module that scripts/<name>.ts is; Node by itself finds no imports that name no file. */
export async function loadBundled(name) {
  await ensureInstalled();
  const { build } = await import("esbuild");
  const { outputFiles } = await build({
    entryPoints: [join(ROOT, "scripts", `${name}.ts`)],
    bundle: true,
    write: false,
    format: "esm",
    platform: "node",
    logLevel: "error",
  });
  return import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString("base64")}`);
}
