/** A headless browser: the machine's own, or Debian's package, installed if this machine allows it. */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

/** Its path; undefined, with a message, if there is none and none can be installed. */
export function findChromium(): string | undefined {
  const found = chromiumOnPath();
  if (found !== undefined) return found;
  if (process.getuid?.() !== 0 || !existsSync("/etc/debian_version")) {
    console.warn("No Chromium here: the tests that need it are skipped.");
    return undefined;
  }
  console.warn("Installing Chromium from Debian's packages for the tests …");
  try {
    const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
    execFileSync("apt-get", ["update", "-q"], { env, stdio: "ignore" });
    execFileSync("apt-get", ["install", "-q", "-y", "--no-install-recommends", "chromium"], { env, stdio: "ignore" });
    return chromiumOnPath();
  } catch (error) {
    console.warn(`It cannot be installed (${(error as Error).message}): the tests that need it are skipped.`);
    return undefined;
  }
}

/** The document after the page's scripts have run. `profile` is an empty folder for the browser's own files. */
export function renderedPage(chromium: string, profile: string, file: string): string {
  // Its sandbox needs a non-root user and namespaces that containers seldom have; the page is our own.
  const flags = ["--headless", "--no-sandbox", "--disable-gpu", `--user-data-dir=${profile}`, "--dump-dom"];
  return execFileSync(chromium, [...flags, `file://${file}`], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
}

function chromiumOnPath(): string | undefined {
  const folders = (process.env.PATH ?? "").split(delimiter);
  return folders
    .flatMap((folder) => ["chromium", "chromium-browser", "google-chrome"].map((name) => join(folder, name)))
    .find(existsSync);
}
