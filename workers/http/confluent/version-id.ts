/** Versions in paths: 1 to 2^31−1, `latest` or −1. */
import { makeRefusal } from "../../../contract/errors.ts";
import { RegistryError } from "../errors.ts";
import { parseInteger } from "./request.ts";

export function parseVersion(text: string): number | "latest" {
  const trimmed = text.trim();
  if (trimmed.toLowerCase() === "latest") return "latest";
  const number = parseInteger(trimmed);
  if (number === -1) return "latest";
  if (number !== undefined && number >= 1) return number;
  const shown = text.length > 64 ? `${text.slice(0, 64)}…` : text;
  throw new RegistryError(makeRefusal("INVALID_VERSION", [shown], `"${shown}" does not select a version.`));
}
