import type { ConfluentApiLevel } from "../../settings.ts";

/** Whether the API answers as this release of the Confluent server or a later one. */
export function isAtLeast({ major, minor }: ConfluentApiLevel, wantedMajor: number, wantedMinor: number): boolean {
  return major !== wantedMajor ? major > wantedMajor : minor >= wantedMinor;
}
