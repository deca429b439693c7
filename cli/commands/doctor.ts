/** llmsr doctor: which settings apply and where they come from, and whether the registry accepts them. */
import { isRegistryError } from "../../sdks/typescript/src/errors.ts";
import { VERSION } from "../../sdks/typescript/src/version.ts";
import type { CliCommand } from "../command.ts";
import { chooseExitCode, EXIT } from "../exit-codes.ts";
import { paintFor } from "../output/paint.ts";
import { parseOptions } from "../parse-options.ts";
import type { Registry } from "../registry.ts";
import { keysFile, openConfiguredRegistry, REGISTRY_OPTIONS, REGISTRY_USAGE } from "../settings.ts";
import type { Shell } from "../shell.ts";

const DOCTOR_USAGE = `llmsr doctor shows the settings in use, where each comes from, and whether the registry accepts them.

  llmsr doctor
  llmsr doctor --url https://registry.example.com --json

  --json             JSON instead of text
${REGISTRY_USAGE}
Exit codes: 0 all is well, 3 the registry cannot be reached or is not ready, 4 the key is not accepted.
`;

const DOCTOR_OPTIONS = { ...REGISTRY_OPTIONS, json: { type: "boolean", default: false } } as const;

type Finding = { check: string; ok: boolean; detail: string };

export const DOCTOR_COMMAND: CliCommand = {
  usage: DOCTOR_USAGE,
  options: DOCTOR_OPTIONS,
  async run(args, shell) {
    const { values } = parseOptions(args, DOCTOR_OPTIONS);
    const { registry, settings } = openConfiguredRegistry(shell, values);
    const { url, key, context, project } = settings;
    const used = [
      ["llmsr", VERSION, `node ${process.versions.node}`],
      ["url", url.value, url.source],
      ["key", key.value === undefined ? "none" : maskKey(key.value), key.source],
      ["context", context.value ?? ".", context.source],
      ["project", project?.file ?? "none", project === undefined ? "" : `${project.subjects.length} subjects`],
      ["keys", keysFile(shell.env), "`llmsr login` writes it"],
    ] as const;
    const { findings, code } = await examine(registry);
    if (values.json) {
      const shown = Object.fromEntries(used.map(([name, value, source]) => [name, { value, source }]));
      shell.print(`${JSON.stringify({ format_version: 1, settings: shown, checks: findings }, null, 2)}\n`);
      return code;
    }
    print(used, findings, shell);
    return code;
  },
};

function print(used: readonly (readonly string[])[], findings: readonly Finding[], shell: Shell): void {
  const { good, bad, quiet } = paintFor(shell.isTerminal);
  for (const [name = "", value = "", source = ""] of used) {
    shell.print(`${name.padEnd(8)} ${value}${source === "" ? "" : ` ${quiet(`(${source})`)}`}\n`);
  }
  for (const { check, ok, detail } of findings) {
    shell.print(`${ok ? good("ok    ") : bad("failed")} ${check}: ${detail}\n`);
  }
}

async function examine(registry: Registry): Promise<{ findings: Finding[]; code: number }> {
  const findings: Finding[] = [];
  let code: number = EXIT.ok;
  const check = async (name: string, ask: () => Promise<string>, isNeeded = true) => {
    try {
      findings.push({ check: name, ok: true, detail: await ask() });
    } catch (error) {
      if (!isRegistryError(error)) throw error;
      findings.push({ check: name, ok: false, detail: error.message });
      if (isNeeded && code === EXIT.ok) code = chooseExitCode(error);
    }
  };
  await check("reachable", async () => {
    await registry.get("/health");
    return registry.url;
  });
  if (code === EXIT.unreachable) return { findings, code };
  await check("ready", async () => (await registry.get<{ status: string }>("/health/ready")).status);
  await check("key", async () => {
    const me = await registry.get<{ actor: string; tenant: string; permissions: string[] }>("/me");
    return `${me.actor} of tenant ${me.tenant} may ${me.permissions.join(", ") || "nothing"}`;
  });
  // A registry without a read model is healthy; only search is missing.
  await check(
    "search",
    async () => {
      const { as_of } = await registry.get<{ as_of?: number }>("/search", { q: "a", limit: "1" });
      return `answers, up to seq ${as_of ?? "?"}`;
    },
    false,
  );
  return { findings, code };
}

/** A key's first parts name the tenant and the key; the rest is the secret. */
function maskKey(key: string): string {
  const parts = /^(llmsr_[^_]*_[^_]*)_/.exec(key);
  return parts === null ? "…" : `${parts[1]}_…`;
}
