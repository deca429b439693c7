import type { ConfluentApiLevel } from "../../settings.ts";

/** Whether the API is to answer as this release of the reference or a later one. */
export function isAtLeast({ major, minor }: ConfluentApiLevel, wantedMajor: number, wantedMinor: number): boolean {
  return major !== wantedMajor ? major > wantedMajor : minor >= wantedMinor;
}
