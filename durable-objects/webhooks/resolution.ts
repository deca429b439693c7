/**
 * Resolves a webhook's host before a request is sent to it, over DNS-over-HTTPS with JSON answers, because Workers have no
 * resolver of their own. A name with any address that is not public is refused, and so is one that cannot be resolved. The
 * request itself resolves the name again: Workers cannot pin an address (docs/security.md).
 */
import { isPublicAddress } from "./address.ts";

/** Within the timeout of an attempt, and enough for a resolver that asks the name's own servers. */
const RESOLVE_TIMEOUT_MS = 3_000;
/** How long an answer is used: deliveries come in bursts, and a changed address should be noticed soon. */
export const RESOLUTION_FRESH_MS = 30_000;
/** A tenant has at most 50 endpoints. */
const MAX_REMEMBERED = 64;
/** Far more than the answer for any name that is in use. */
export const MAX_RESOLUTION_BYTES = 64 * 1_024;

/** Record types and codes of https://www.iana.org/assignments/dns-parameters/. */
const RECORD_TYPES = { A: 1, AAAA: 28 } as const;
const NO_ERROR = 0;
const NAME_DOES_NOT_EXIST = 3;

type Send = (url: string, init: RequestInit) => Promise<Response>;
type DnsAnswer = { Status?: unknown; TC?: unknown; Answer?: unknown };

/** Parses WEBHOOK_RESOLVER: the address of a resolver with JSON answers; undefined: names are not resolved. */
export function parseResolver(text: string | undefined): string | undefined {
  if (text === undefined || text === "") return undefined;
  const url = URL.parse(text);
  const isLoopback = url !== null && /^(?:127\.0\.0\.1|localhost|\[::1\])$/.test(url.hostname);
  if (url === null || !(url.protocol === "https:" || (url.protocol === "http:" && isLoopback)) || url.search !== "") {
    throw new Error(
      `WEBHOOK_RESOLVER must be the https address of a resolver, such as https://cloudflare-dns.com/dns-query, got "${text}".`,
    );
  }
  return url.href;
}

/** Looks names up and remembers the verdicts of half a minute. */
export class Resolution {
  readonly #remembered = new Map<string, { problem: string | undefined; untilMs: number }>();

  /** The reason why a request to this URL must not be sent; undefined if it may. */
  async problem(
    url: string,
    resolver: string,
    { send, nowMs }: { send: Send; nowMs: number },
  ): Promise<string | undefined> {
    const { hostname } = new URL(url);
    // An address was checked as it is (address.ts).
    if (hostname.startsWith("[") || /^[\d.]+$/.test(hostname)) return undefined;
    const known = this.#remembered.get(hostname);
    if (known !== undefined && nowMs < known.untilMs) return known.problem;
    let problem: string | undefined;
    try {
      problem = addressesProblem(hostname, await resolveAddresses(hostname, resolver, send));
    } catch (error) {
      // Not remembered, so that a resolver's failure delays one attempt only.
      return `${hostname} could not be resolved: ${(error as Error).message}`;
    }
    this.#remember(hostname, { problem, untilMs: nowMs + RESOLUTION_FRESH_MS });
    return problem;
  }

  #remember(hostname: string, verdict: { problem: string | undefined; untilMs: number }): void {
    this.#remembered.delete(hostname);
    this.#remembered.set(hostname, verdict);
    const [oldest] = this.#remembered.keys();
    if (this.#remembered.size > MAX_REMEMBERED) this.#remembered.delete(oldest!);
  }
}

function addressesProblem(hostname: string, addresses: readonly string[]): string | undefined {
  if (addresses.length === 0) return `${hostname} has no address.`;
  const hidden = addresses.find((address) => !isPublicAddress(address));
  // One private address is enough to refuse: we cannot choose which address the request uses.
  return hidden === undefined ? undefined : `${hostname} resolves to ${hidden}, which is not a public address.`;
}

/** All IPv4 and IPv6 addresses of a name. Throws if either question stays unanswered. */
async function resolveAddresses(hostname: string, resolver: string, send: Send): Promise<string[]> {
  const signal = AbortSignal.timeout(RESOLVE_TIMEOUT_MS);
  try {
    const found = await Promise.all(
      Object.entries(RECORD_TYPES).map(([name, type]) => {
        const question = `${resolver}?name=${encodeURIComponent(hostname)}&type=${name}`;
        return ask(question, type, send, signal);
      }),
    );
    return found.flat();
  } catch (error) {
    if (signal.aborted) throw new Error(`no answer within ${RESOLVE_TIMEOUT_MS / 1_000} s.`);
    throw error;
  }
}

async function ask(question: string, type: number, send: Send, signal: AbortSignal): Promise<string[]> {
  const response = await send(question, { headers: { Accept: "application/dns-json" }, redirect: "manual", signal });
  if (response.status !== 200) {
    await response.body?.cancel();
    throw new Error(`the resolver answers ${response.status}.`);
  }
  const { Status, TC, Answer = [] } = readAnswer(await readAtMost(response, MAX_RESOLUTION_BYTES));
  if (Status === NAME_DOES_NOT_EXIST) return [];
  if (Status !== NO_ERROR || TC === true) throw new Error(`the resolver answers with code ${String(Status)}.`);
  if (!Array.isArray(Answer)) throw new Error("the resolver's answer is not a list of records.");
  // Aliases (CNAME) come with the addresses they lead to.
  const records = Answer.filter((record: { type?: unknown }) => record?.type === type);
  return records.map(({ data }: { data?: unknown }) => String(data));
}

function readAnswer(text: string): DnsAnswer {
  try {
    const value = JSON.parse(text) as unknown;
    if (typeof value === "object" && value !== null) return value;
  } catch {
    // Said below.
  }
  throw new Error("the resolver's answer is not JSON; it must answer application/dns-json.");
}

async function readAtMost({ body }: Response, maxBytes: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > maxBytes) throw new Error(`the resolver's answer is larger than ${maxBytes} bytes.`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
