import { env } from "cloudflare:workers";
import type { Bindings } from "../../../workers/edge.ts";
import { plainPlatform } from "../../support/platform.ts";

/** The contract suite inside the runtime, which measures coverage: one empty registry for the file. */
export function useRegistryUnderTest(): { fetch(path: string, init: RequestInit): Promise<Response> } {
  const platform = plainPlatform({ env: env as unknown as Bindings });
  return { fetch: (path, init) => platform.fetch(path, init) };
}
