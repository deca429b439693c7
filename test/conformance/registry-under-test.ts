import { afterAll, beforeAll } from "vitest";
import { freePort, type RegistryProcess, spawnRegistry, temporaryState } from "../support/registry-process.ts";

/** Sends requests to the registry at REGISTRY_URL, or to one started for the file's tests. */
export function useRegistryUnderTest(): { fetch(path: string, init: RequestInit): Promise<Response> } {
  let url = process.env.REGISTRY_URL ?? "";
  let started: RegistryProcess | undefined;
  const state = url === "" ? temporaryState() : undefined;
  beforeAll(async () => {
    if (!state) return;
    started = spawnRegistry({ port: await freePort(), stateDir: state.stateDir });
    await started.ready();
    url = started.url;
  });
  afterAll(async () => {
    await started?.stop();
    state?.remove();
  });
  return { fetch: (path, init) => fetch(url + path, init) };
}
