/** llmsr login: keeps a key for one registry, readable by its user only. */
import { withKey } from "../address.ts";
import type { CliCommand } from "../command.ts";
import { EXIT } from "../exit-codes.ts";
import { parseOptions } from "../parse-options.ts";
import { Registry } from "../registry.ts";
import { REGISTRY_OPTIONS, resolveSettings, storeKey } from "../settings.ts";
import type { Shell } from "../shell.ts";
import { UsageError } from "../usage-error.ts";

const LOGIN_USAGE = `llmsr login stores an API key for one registry.

  llmsr login https://registry.example.com                  asks for the key
  llmsr login https://registry.example.com < key.txt        reads it from standard input
  llmsr login https://registry.example.com --forget         removes it

The key is tried first, and then kept in $XDG_CONFIG_HOME/llmsr/keys.toml (~/.config/llmsr), with mode 0600. It is sent to
that URL only. Without a URL: LLMSR_URL, then llmsr.toml, then http://localhost:8080.
`;

const LOGIN_OPTIONS = {
  url: REGISTRY_OPTIONS.url,
  key: REGISTRY_OPTIONS.key,
  header: REGISTRY_OPTIONS.header,
  forget: { type: "boolean", default: false },
} as const;

type Me = { actor: string; tenant: string; name: string | null };

export const LOGIN_COMMAND: CliCommand = {
  usage: LOGIN_USAGE,
  options: LOGIN_OPTIONS,
  async run(args, shell) {
    const { values, positionals } = parseOptions(args, LOGIN_OPTIONS);
    const [given, ...rest] = positionals;
    if (rest.length > 0) throw new UsageError("login takes one URL.");
    const { url, headers } = resolveSettings(shell, { url: given ?? values.url, header: values.header });
    if (values.forget) {
      shell.printError(`The key of ${url.value} is no longer in ${storeKey(shell.env, url.value, undefined)}.\n`);
      return EXIT.ok;
    }
    const key = (values.key ?? (await readKey(url.value, shell))).trim();
    if (key === "") throw new UsageError("The key is empty.");
    const registry = new Registry({ url: url.value, headers: withKey(headers, key) }, shell);
    const me = await registry.get<Me>("/me");
    const file = storeKey(shell.env, url.value, key);
    shell.printError(`You are ${me.name ?? me.actor} (tenant ${me.tenant}) at ${url.value}. The key is in ${file}.\n`);
    return EXIT.ok;
  },
};

async function readKey(url: string, shell: Shell): Promise<string> {
  if (!shell.inputIsTerminal || !shell.errorIsTerminal) return shell.readStdin();
  shell.printError(`Key for ${url} (not shown): `);
  const key = await readHidden(shell.signal);
  shell.printError("\n");
  return key;
}

/** One line of the terminal, without its echo. */
function readHidden(signal: AbortSignal): Promise<string> {
  const { stdin } = process;
  stdin.setRawMode(true);
  stdin.resume();
  return new Promise((resolve, reject) => {
    let text = "";
    const end = (finish: () => void) => {
      stdin.setRawMode(false);
      stdin.pause();
      stdin.off("data", read);
      finish();
    };
    const read = (chunk: Buffer) => {
      for (const character of chunk.toString()) {
        if (character === "\r" || character === "\n" || character === "\u0004") return end(() => resolve(text));
        if (character === "\u0003") return end(() => reject(new UsageError("Interrupted; no key was stored.")));
        text = character === "\u007f" ? text.slice(0, -1) : text + character;
      }
    };
    signal.addEventListener("abort", () => end(() => reject(signal.reason)), { once: true });
    stdin.on("data", read);
  });
}
