import type { ConfluentApiLevel } from "../../settings.ts";

/** Whether the API behaves like this or a later release of the Confluent server. */
export function isApiLevelAtLeast(
  { major, minor }: ConfluentApiLevel,
  wantedMajor: number,
  wantedMinor: number,
): boolean {
  return major !== wantedMajor ? major > wantedMajor : minor >= wantedMinor;
}
