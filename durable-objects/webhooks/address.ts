/**
 * Which URLs a webhook may have. A webhook makes the registry send requests to an address chosen by a caller, so anything but a
 * public https address is refused, in every spelling; origins listed by the operator are always allowed.
 * Names are resolved before a request is sent, if the operator has named a resolver (resolution.ts).
 */

import { MAX_WEBHOOK_URL_CHARACTERS } from "../../registry/webhook.ts";
import { ok, type Result, refuse } from "../../schema/result.ts";

export type UrlRules = {
  /** Always allowed, http and private addresses included. */
  origins: ReadonlySet<string>;
  /** Whether public https addresses are allowed too. */
  anyPublic: boolean;
};

/** List item that allows every public https address. */
const ANY_PUBLIC = "*";

/** Parses WEBHOOK_ALLOWED_ORIGINS. Empty allows every public address; a list allows only its origins, unless it contains `*`. */
export function parseUrlRules(text: string | undefined): UrlRules {
  const listed = (text ?? "").split(",").flatMap((part) => (part.trim() === "" ? [] : [part.trim()]));
  const origins = listed.filter((origin) => origin !== ANY_PUBLIC).map(parseOrigin);
  return { origins: new Set(origins), anyPublic: listed.length === 0 || listed.includes(ANY_PUBLIC) };
}

function parseOrigin(text: string): string {
  const url = URL.parse(text);
  const isOrigin =
    url !== null &&
    /^https?:$/.test(url.protocol) &&
    url.href === `${url.origin}/` &&
    // The URL parser drops these when they are empty.
    !/[@?#]/.test(text);
  if (!isOrigin)
    throw new Error(`WEBHOOK_ALLOWED_ORIGINS must list origins such as https://hooks.example.com, got "${text}".`);
  return url.origin;
}

/** The URL as it will be requested, or why it is refused. */
export function readWebhookUrl(text: string, rules: UrlRules): Result<string, string> {
  const problem = (said: string) => refuse(said);
  if (text.length > MAX_WEBHOOK_URL_CHARACTERS) {
    return problem(`A webhook's URL has at most ${MAX_WEBHOOK_URL_CHARACTERS} characters.`);
  }
  const url = URL.parse(text);
  if (url === null || url.hostname === "") return problem("This is not an absolute URL.");
  if (url.username !== "" || url.password !== "") {
    return problem("A URL with a user name or password is not accepted: deliveries are signed instead.");
  }
  if (url.hash !== "") return problem("A fragment is never sent: omit it.");
  if (rules.origins.has(url.origin)) return ok(url.href);
  if (!rules.anyPublic)
    return problem(`The origin ${url.origin} is not one of the origins that this registry may send to.`);
  if (url.protocol !== "https:") return problem("Only https is accepted.");
  if (!ALLOWED_PORTS.has(url.port)) {
    return problem(`Port ${url.port} is not accepted: use 443 or 8443.`);
  }
  const host = hostProblem(url.hostname);
  return host === undefined ? ok(url.href) : problem(host);
}

/**
 * The ports of https; the URL parser leaves 443 empty. Other ports may belong to services that a request could
 * manipulate.
 */
const ALLOWED_PORTS = new Set(["", "8443"]);

/**
 * The reason a host is refused. `hostname` comes from the URL parser, which normalises every spelling of an IPv4
 * address.
 */
function hostProblem(hostname: string): string | undefined {
  if (hostname.startsWith("[")) {
    return isPublicIPv6(ipv6Groups(hostname.slice(1, -1))) ? undefined : `${hostname} is not a public address.`;
  }
  const name = hostname.replace(/\.$/, "");
  if (/^\d{1,3}(\.\d{1,3}){3}$/.test(name)) {
    return isPublicIPv4(name.split(".").map(Number)) ? undefined : `${name} is not a public address.`;
  }
  const labels = name.split(".");
  if (labels.length < 2 || labels.includes("")) return `"${hostname}" is not a public name.`;
  return PRIVATE_TOP_LEVELS.has(labels.at(-1)!) ? `Names under .${labels.at(-1)} are not public.` : undefined;
}

/** Reserved (https://www.iana.org/assignments/special-use-domain-names/) or used for private networks. */
const PRIVATE_TOP_LEVELS = new Set([
  "localhost",
  "local",
  "internal",
  "intranet",
  "private",
  "lan",
  "home",
  "corp",
  "localdomain",
  "mail",
  "arpa",
  "test",
  "example",
  "invalid",
  "onion",
  "alt",
]);

/** Blocks that are not globally reachable, relays (https://www.iana.org/assignments/iana-ipv4-special-registry/), and multicast. */
const NOT_PUBLIC_IPV4 = [
  [0x00000000, 8], // this network
  [0x0a000000, 8], // private
  [0x64400000, 10], // shared by carriers' NAT
  [0x7f000000, 8], // loopback
  [0xa9fe0000, 16], // link-local, cloud metadata
  [0xac100000, 12], // private
  [0xc0000000, 24], // protocol assignments
  [0xc0000200, 24], // documentation
  [0xc0586300, 24], // 6to4 relays
  [0xc0a80000, 16], // private
  [0xc6120000, 15], // benchmarks
  [0xc6336400, 24], // documentation
  [0xcb007100, 24], // documentation
  [0xe0000000, 4], // multicast
  [0xf0000000, 4], // reserved, broadcast
] as const;

/** Whether a resolver's answer is a public address. */
export function isPublicAddress(text: string): boolean {
  const isIPv6 = text.includes(":");
  const hostname = URL.parse(`https://${isIPv6 ? `[${text}]` : text}/`)?.hostname;
  if (hostname === undefined) return false;
  if (isIPv6) return isPublicIPv6(ipv6Groups(hostname.slice(1, -1)));
  return /^\d{1,3}(\.\d{1,3}){3}$/.test(hostname) && isPublicIPv4(hostname.split(".").map(Number));
}

function isPublicIPv4(bytes: readonly number[]): boolean {
  const address = bytes.reduce((value, byte) => value * 256 + byte, 0);
  return !NOT_PUBLIC_IPV4.some(([block, bits]) => Math.floor(address / 2 ** (32 - bits)) === block / 2 ** (32 - bits));
}

/**
 * Only global unicast, 2000::/3, is public (RFC 4291 §2.4), which leaves out loopback, unique local, link-local, multicast,
 * IPv4-mapped and NAT64 addresses. Within it: protocol assignments with Teredo, 6to4, and documentation.
 */
function isPublicIPv6(groups: readonly number[]): boolean {
  const [first = 0, second = 0] = groups;
  if (first >> 13 !== 1) return false;
  if (first === 0x2001 && (second < 0x200 || second === 0xdb8)) return false;
  if (first === 0x2002) return false;
  return !(first === 0x3fff && second < 0x1000);
}

/** The eight groups of an address as a URL spells it: hexadecimal, with at most one `::`. */
export function ipv6Groups(text: string): number[] {
  const [head = "", tail] = text.split("::");
  const groupsOf = (part: string) => (part === "" ? [] : part.split(":").map((group) => Number.parseInt(group, 16)));
  const before = groupsOf(head);
  const after = tail === undefined ? [] : groupsOf(tail);
  const zeros = tail === undefined ? 0 : 8 - before.length - after.length;
  return [...before, ...new Array<number>(zeros).fill(0), ...after];
}
