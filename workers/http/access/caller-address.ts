/** The address of a caller, from the one header that the caller cannot write. */
import type { AccessSettings } from "../../access/settings.ts";

export function callerAddress(
  { headers }: Pick<Request, "headers">,
  { addressHeader }: Pick<AccessSettings, "addressHeader">,
): string | undefined {
  return addressHeader === undefined ? undefined : (headers.get(addressHeader) ?? undefined);
}
