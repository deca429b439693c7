// Runs before `npm run deploy` and `npm run deploy:staging`: refuses settings of wrangler.toml that would bypass
// authentication.
import { parseArgs } from "node:util";
import { unstable_readConfig } from "wrangler";

type Deployed = {
  workers_dev?: boolean | undefined;
  preview_urls?: boolean | undefined;
  route?: unknown;
  routes?: unknown;
  vars: Record<string, unknown>;
};

/** A host of RFC 2606, the placeholder in wrangler.toml. */
const PLACEHOLDER = /(?:^|\.)example\.(?:com|net|org)(?:[/:]|$)/;

/** All problems with an environment's settings. */
function deployProblems(environment: string, config: Deployed): string[] {
  const { workers_dev: workersDev, preview_urls: previewUrls, routes, route, vars } = config;
  const patterns = [routes ?? [], route ?? []]
    .flat()
    .map((item) => (typeof item === "string" ? item : (item as { pattern: string }).pattern));
  const problems: string[] = [];
  if (workersDev !== false) problems.push("workers_dev must be false: it would be a second address.");
  if (previewUrls !== false) problems.push("preview_urls must be false: every version would have an address.");
  if (patterns.length === 0) problems.push("routes is empty: name the host that the registry is reached at.");
  for (const pattern of patterns.filter((text) => PLACEHOLDER.test(text))) {
    problems.push(`routes still has the placeholder "${pattern}": fill in a host of a zone in your account.`);
  }
  if (vars.ENVIRONMENT !== environment) {
    problems.push(`ENVIRONMENT must be "${environment}", it is "${vars.ENVIRONMENT}".`);
  }
  if (vars.AUTH !== undefined && vars.AUTH !== "required") problems.push('AUTH must be left out, or "required".');
  for (const name of SECRETS.filter((secret) => vars[secret] !== undefined)) {
    problems.push(`${name} is a secret: remove it from wrangler.toml and set it with wrangler secret put.`);
  }
  return problems;
}

const SECRETS = [
  "ACCESS_HASH_KEY",
  "FIRST_ADMINISTRATOR_KEY",
  "WEBHOOK_SIGNING_KEY",
  "CHECKPOINT_SIGNING_KEYS",
  "UPSTASH_REDIS_REST_TOKEN",
  "DATABASE_URL",
];

if (import.meta.main) {
  const { values, positionals } = parseArgs({
    options: { config: { type: "string", default: "wrangler.toml" } },
    allowPositionals: true,
  });
  const [environment = "production"] = positionals;
  const problems = deployProblems(
    environment,
    unstable_readConfig({ config: values.config, env: environment }) as Deployed,
  );
  for (const problem of problems) console.error(`wrangler.toml, ${environment}: ${problem}`);
  if (problems.length === 0) console.log(`wrangler.toml, ${environment}: nothing opens a way past authentication.`);
  process.exit(problems.length === 0 ? 0 : 1);
}
