import { build } from "../../scripts/build.ts";

/** Vitest's global set-up of the system project: builds the bundle that its tests serve once. */
export default async function setup(): Promise<void> {
  await build();
}
