/** `llm-schema-registry-typescript/0.1.0 node/24.1.0 (linux; x86_64) billing/2.1`. */
import { MAX_USER_AGENT_CHARACTERS } from "./engine/constants.js";
import { VERSION } from "./version.js";

interface Runtime {
  process?: { versions?: { node?: string; bun?: string }; platform?: string; arch?: string };
  Deno?: { version: { deno: string }; build: { os: string; arch: string } };
  navigator?: { userAgent?: string };
  document?: unknown;
}

/** Undefined in browsers, which send their own. */
export function describeUserAgent(app: string | undefined): string | undefined {
  const runtime = globalThis as Runtime;
  if (runtime.document !== undefined) return undefined;
  const text = `llm-schema-registry-typescript/${VERSION} ${describeRuntime(runtime)}${app ? ` ${app}` : ""}`;
  return text.slice(0, MAX_USER_AGENT_CHARACTERS);
}

function describeRuntime({ process, Deno, navigator }: Runtime): string {
  if (Deno !== undefined)
    return `deno/${Deno.version.deno} (${describeOs(Deno.build.os)}; ${describeArch(Deno.build.arch)})`;
  const { versions, platform, arch } = process ?? {};
  if (versions?.bun !== undefined) return `bun/${versions.bun} (${describeOs(platform)}; ${describeArch(arch)})`;
  if (versions?.node !== undefined && navigator?.userAgent !== "Cloudflare-Workers") {
    return `node/${versions.node} (${describeOs(platform)}; ${describeArch(arch)})`;
  }
  return "workers/1 (other; other)";
}

function describeOs(platform = "other"): string {
  if (platform === "win32") return "windows";
  return ["linux", "darwin", "windows"].includes(platform) ? platform : "other";
}

function describeArch(arch = "other"): string {
  if (arch === "x64" || arch === "x86_64") return "x86_64";
  return arch === "arm64" || arch === "aarch64" ? "aarch64" : "other";
}
