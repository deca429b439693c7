import { seededRandom } from "../../support/clock.ts";
import { perform } from "./commands.ts";
import { MadeRegistry } from "./made-registry.ts";

/** The same registry for the same seed, in any process; with more commands it continues from where it was. */
export function grownRegistry(tenant: string, seed: number, commands: number): MadeRegistry {
  const random = seededRandom(seed);
  const registry = new MadeRegistry(tenant);
  for (let n = 0; n < commands; n += 1) {
    perform(registry, { kind: Math.floor(random() * 100), pick: Math.floor(random() * 1_000), text: "text" });
  }
  return registry;
}
