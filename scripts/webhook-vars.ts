// Vars for webhooks on this machine. The key their secrets derive from is created once per state folder.
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const KEY_FILE = "webhook-signing-key";
const KEY_BYTES = 32;

/** The environment's values come first, as they do in a deployment. */
export function webhookVars(stateDir: string, environment: NodeJS.ProcessEnv): Record<string, string> {
  const { WEBHOOK_SIGNING_KEY: key, WEBHOOK_ALLOWED_ORIGINS: origins } = environment;
  return {
    WEBHOOK_SIGNING_KEY: key || keptKey(stateDir),
    ...(origins === undefined ? {} : { WEBHOOK_ALLOWED_ORIGINS: origins }),
  };
}

function keptKey(stateDir: string): string {
  const file = join(stateDir, KEY_FILE);
  if (!existsSync(file)) {
    mkdirSync(stateDir, { recursive: true });
    writeFileSync(file, `${randomBytes(KEY_BYTES).toString("base64")}\n`, { mode: 0o600 });
  }
  return readFileSync(file, "utf8").trim();
}
