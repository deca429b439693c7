/** Whether an IP address lies in a CIDR range (RFC 4632, RFC 4291). */
import { ipv6Groups } from "../../durable-objects/webhooks/address.ts";

type Address = { bits: 32 | 128; value: bigint };

/** False if the IP versions differ. Undefined if `range` is not a range; an unparsable address is in none. */
export function isInRange(address: string, range: string): boolean | undefined {
  const [network = "", length, ...rest] = range.split("/");
  const base = parseAddress(network);
  if (base === undefined || rest.length > 0) return undefined;
  if (length !== undefined && !/^\d{1,3}$/.test(length)) return undefined;
  const prefix = length === undefined ? base.bits : Number(length);
  if (prefix > base.bits) return undefined;
  const given = parseAddress(address);
  if (given === undefined || given.bits !== base.bits) return false;
  const shift = BigInt(base.bits - prefix);
  return given.value >> shift === base.value >> shift;
}

/** Bits of an address that the access record keeps: an IPv4 network of 256 addresses, an IPv6 site. */
const KEPT_BITS = { 32: 24, 128: 48 } as const;

/** The address without its last bits, such as `203.0.113.0/24`; undefined if it is none. */
export function maskAddress(address: string): string | undefined {
  const parsed = parseAddress(address);
  if (parsed === undefined) return undefined;
  const { bits, value } = parsed;
  const kept = KEPT_BITS[bits];
  const parts = (width: number) =>
    Array.from({ length: bits / width }, (_, index) => {
      const end = (index + 1) * width;
      return end > kept ? 0 : Number((value >> BigInt(bits - end)) & ((1n << BigInt(width)) - 1n));
    });
  if (bits === 32) return `${parts(8).join(".")}/${kept}`;
  const groups = parts(16).slice(0, kept / 16);
  return `${groups.map((group) => group.toString(16)).join(":")}::/${kept}`;
}

/** Bits of an IPv6 address that a provider assigns; the caller chooses the others (RFC 6177, RFC 8981). */
const ASSIGNED_BITS = 64;

/** What tells one caller's address from another's: an IPv6 address counts as its network of 64 bits. */
export function assignedAddress(address: string): string {
  const parsed = address.includes(":") ? parseAddress(address) : undefined;
  return parsed?.bits === 128 ? `${(parsed.value >> BigInt(ASSIGNED_BITS)).toString(16)}/${ASSIGNED_BITS}` : address;
}

/** Cloudflare passes an IPv4 caller as IPv4, so a mapped address counts as IPv4 as well. */
function parseAddress(text: string): Address | undefined {
  const bytes = /^\d{1,3}(\.\d{1,3}){3}$/.test(text) ? text.split(".").map(Number) : undefined;
  if (bytes !== undefined)
    return bytes.every((byte) => byte < 256) ? { bits: 32, value: joined(bytes, 8n) } : undefined;
  if (!text.includes(":") || /[^0-9a-f:.]/i.test(text)) return undefined;
  const host = URL.parse(`http://[${text}]`)?.hostname;
  if (host === undefined) return undefined;
  const value = joined(ipv6Groups(host.slice(1, -1)), 16n);
  const isMapped = value >> 32n === 0xffffn;
  return isMapped ? { bits: 32, value: value & 0xffffffffn } : { bits: 128, value };
}

function joined(parts: readonly number[], bits: bigint): bigint {
  return parts.reduce((value, part) => (value << bits) | BigInt(part), 0n);
}
