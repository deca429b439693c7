/** A consumer in a process of its own, so that it can be killed: says that it begins, replicates, and says that it is done. */
import { replicate } from "../../../workers/registry/read-model/replicate.ts";
import { grownRegistry } from "./grown-registry.ts";

const { TENANT, SEED, COMMANDS, DATABASE_URL, DATABASE_PROXY } = process.env as Record<string, string>;
const registry = grownRegistry(TENANT!, Number(SEED), Number(COMMANDS));
const env = registry.bindings({ DATABASE_URL: DATABASE_URL!, DATABASE_PROXY: DATABASE_PROXY! });
process.stdout.write("begins\n");
await replicate(env, registry.tenant);
process.stdout.write("done\n");
