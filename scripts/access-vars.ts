// Vars for authentication on this machine. The hash key and the first administrator's key are created once per state
// folder.
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { KEY_ID_BYTES, printApiKey, SECRET_BYTES } from "../registry/api-key.ts";
import { DEFAULT_TENANT } from "../registry/permission.ts";
import { hashSecret, MIN_HASH_KEY_BYTES, parseHashKey } from "../workers/access/key-hash.ts";

const HASH_KEY_FILE = "access-hash-key";
const FIRST_KEY_FILE = "first-administrator-key";

type SetupVars = {
  vars: Record<string, string>;
  /** The text of a newly created key, which is not stored. */
  firstKey: string | undefined;
};

/** The environment's values come first, as in a deployment. `isRequired`: requests need a credential. */
export function accessVars(stateDir: string, environment: NodeJS.ProcessEnv, isRequired: boolean): SetupVars {
  const hashKey = environment.ACCESS_HASH_KEY || keptText(stateDir, HASH_KEY_FILE, makeHashKey);
  const vars = { ACCESS_HASH_KEY: hashKey };
  if (!isRequired) return { vars, firstKey: undefined };
  let firstKey: string | undefined;
  const kept =
    environment.FIRST_ADMINISTRATOR_KEY ||
    keptText(stateDir, FIRST_KEY_FILE, () => {
      const made = makeFirstKey(hashKey);
      firstKey = made.key;
      return made.kept;
    });
  return { vars: { ...vars, AUTH: "required", FIRST_ADMINISTRATOR_KEY: kept }, firstKey };
}

export function makeHashKey(): string {
  return randomBytes(MIN_HASH_KEY_BYTES).toString("base64");
}

/** An administrator's key, and its hash for the deployment. */
export function makeFirstKey(hashKey: string): { key: string; kept: string } {
  const keyId = randomBytes(KEY_ID_BYTES).toString("hex");
  const secret = randomBytes(SECRET_BYTES).toString("hex");
  return {
    key: printApiKey({ tenant: DEFAULT_TENANT, keyId, secret }),
    kept: `${keyId}:${hashSecret(parseHashKey(hashKey)!, { keyId, secret })}`,
  };
}

function keptText(stateDir: string, name: string, make: () => string): string {
  const file = join(stateDir, name);
  if (!existsSync(file)) {
    mkdirSync(stateDir, { recursive: true });
    writeFileSync(file, `${make()}\n`, { mode: 0o600 });
  }
  return readFileSync(file, "utf8").trim();
}
