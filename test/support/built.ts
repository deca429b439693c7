import { build } from "../../scripts/build.ts";

/** Vitest's global set-up of the system project: the bundle that its tests serve is built once. */
export default async function setup(): Promise<void> {
  await build();
}
