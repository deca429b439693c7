// Vars with keys for this machine: webhook secrets are derived from one, the other signs checkpoints. Created once per
// state folder.
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const KEY_BYTES = 32;

/** The environment's values come first, as they do in a deployment. */
export function keyVars(stateDir: string, environment: NodeJS.ProcessEnv): Record<string, string> {
  const { WEBHOOK_SIGNING_KEY: key, CHECKPOINT_SIGNING_KEYS: keys } = environment;
  const { WEBHOOK_ALLOWED_ORIGINS: origins, WEBHOOK_RESOLVER: resolver } = environment;
  return {
    WEBHOOK_SIGNING_KEY: key || keptKey(stateDir, "webhook-signing-key"),
    CHECKPOINT_SIGNING_KEYS: keys || keptKey(stateDir, "checkpoint-signing-key"),
    ...(origins === undefined ? {} : { WEBHOOK_ALLOWED_ORIGINS: origins }),
    ...(resolver === undefined ? {} : { WEBHOOK_RESOLVER: resolver }),
  };
}

function keptKey(stateDir: string, name: string): string {
  const file = join(stateDir, name);
  if (!existsSync(file)) {
    mkdirSync(stateDir, { recursive: true });
    writeFileSync(file, `${randomBytes(KEY_BYTES).toString("base64")}\n`, { mode: 0o600 });
  }
  return readFileSync(file, "utf8").trim();
}
