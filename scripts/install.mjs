// Installs dependencies before scripts that may be the first in a fresh clone. Plain Node 20 without packages, because nothing is installed yet.
import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

/** The Node from the `node` dev dependency; wrangler needs a newer one than many machines have. */
export const NODE = join(ROOT, "node_modules", ".bin", "node");

const PROGRESS_EVERY_MS = 2_000;

/**
 * Installs packages that package-lock.json lists and node_modules lacks, with progress output; `stop` is an optional
 * AbortSignal.
 */
export async function ensureInstalled(stop) {
  if (isInstalled()) return;
  const places = installPlaces();
  console.log(`Installing ${places.length} packages, a minute or so the first time …`);

  const began = Date.now();
  const npm = spawn("npm", installArguments(), {
    cwd: ROOT,
    stdio: "inherit",
    ...(stop === undefined ? {} : { signal: stop }),
  });
  const ticker = setInterval(() => {
    const here = places.filter((place) => existsSync(join(ROOT, place, "package.json"))).length;
    console.log(`  ${here} of ${places.length} packages, ${Math.round((Date.now() - began) / 1000)} s`);
  }, PROGRESS_EVERY_MS);
  const code = await new Promise((resolve, reject) => npm.once("error", reject).once("close", resolve));
  clearInterval(ticker);

  if (code !== 0) throw new Error(`npm install failed with exit code ${code}; its own message is above.`);
  if (!existsSync(NODE)) {
    throw new Error("npm did not install the `node` package's binary. Are install scripts off? Try: npm rebuild node");
  }
}

/**
 * Not `npm ci`: it refuses a lock file that lacks the binaries of other platforms, and ours has those of Linux. On a platform
 * whose binaries it lacks, the versions come from package.json.
 */
function installArguments() {
  const { packages } = readJson(join(ROOT, "package-lock.json"));
  const arch = process.arch === "x64" ? "64" : process.arch;
  const isLocked = packages[`node_modules/@cloudflare/workerd-${process.platform}-${arch}`] !== undefined;
  return [
    "install",
    "--include=dev",
    "--no-save",
    ...(isLocked ? [] : ["--no-package-lock"]),
    "--no-audit",
    "--no-fund",
    // Errors only: the warnings are about the machine's Node being older than the one that is being installed.
    "--loglevel=error",
  ];
}

/** True if node_modules has every direct dependency in the version of the lock file. */
function isInstalled() {
  if (!existsSync(NODE)) return false;
  const { packages } = readJson(join(ROOT, "package-lock.json"));
  const { dependencies = {}, devDependencies = {} } = readJson(join(ROOT, "package.json"));
  return Object.keys({ ...dependencies, ...devDependencies }).every((name) => {
    const manifest = join(ROOT, "node_modules", name, "package.json");
    return existsSync(manifest) && readJson(manifest).version === packages[`node_modules/${name}`]?.version;
  });
}

function installPlaces() {
  const { packages } = readJson(join(ROOT, "package-lock.json"));
  return Object.entries(packages)
    .filter(([place, { os, cpu }]) => place !== "" && isMine(os, process.platform) && isMine(cpu, process.arch))
    .map(([place]) => place);
}

function isMine(accepted, mine) {
  return accepted === undefined || accepted.includes(mine);
}

function readJson(path) {
  return JSON.parse(readFileSync(path, "utf8"));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    await ensureInstalled();
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}
