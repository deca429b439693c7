/** A consumer in its own process, so that it can be killed: reports its start, replicates, and reports its end. */
import { replicate } from "../../../workers/registry/read-model/replicate.ts";
import { grownRegistry } from "./grown-registry.ts";

const { TENANT, SEED, COMMANDS, DATABASE_URL, DATABASE_PROXY } = process.env as Record<string, string>;
const registry = grownRegistry(TENANT!, Number(SEED), Number(COMMANDS));
const env = registry.bindings({ DATABASE_URL: DATABASE_URL!, DATABASE_PROXY: DATABASE_PROXY! });
process.stdout.write("begins\n");
await replicate(env, registry.tenant);
process.stdout.write("done\n");
