// Calls of a registry for operators' scripts, retried while it is unreachable.
import { setTimeout as pause } from "node:timers/promises";
import { type Address, networkProblem } from "../cli/address.ts";

/** An error whose message is shown to the user. */
export class RegistryProblem extends Error {}

/** Two minutes in all: a restart or a deploy takes less. */
const PAUSES_MS = [500, 1_000, 2_000, 5_000, 10_000, 20_000, 30_000, 50_000];

/** A proxy in front of the registry answers 502 and 504 while it restarts. */
const COMES_BACK = new Set([429, 502, 503, 504]);

/** The part about connections in every script's usage text. */
export const ADDRESS_USAGE = `  --url <url>        the registry; may be https://user:password@host
  --header "N: V"    sent with every request, such as an Authorization; may be repeated`;

/** For parseArgs. */
export const ADDRESS_OPTIONS = {
  url: { type: "string" },
  header: { type: "string", multiple: true, default: [] as string[] },
} as const;

/** One call, retried while there is no response or a retryable one. Any other refusal is thrown. */
export async function callRegistry(
  { url, headers }: Address,
  path: string,
  init: Omit<RequestInit, "headers"> & { headers?: Record<string, string> } = {},
  report: (text: string) => void = () => undefined,
): Promise<Response> {
  for (let attempt = 0; ; attempt += 1) {
    const response = await fetch(`${url}/api/v1${path}`, {
      ...init,
      headers: { ...headers, ...init.headers },
    }).catch((error: Error) => error);
    if (response instanceof Response && response.ok) return response;
    const why =
      response instanceof Response
        ? await refusalOf(response)
        : `The registry is unreachable: ${networkProblem(response)}.`;
    const comesBack = !(response instanceof Response) || COMES_BACK.has(response.status);
    const wait = PAUSES_MS[attempt];
    if (!comesBack || wait === undefined) throw new RegistryProblem(`${url}${path}: ${why}`);
    report(`\n${why} Retrying in ${wait / 1_000} s.\n`);
    await pause(wait);
  }
}

async function refusalOf(response: Response): Promise<string> {
  const text = await response.text();
  try {
    const { detail } = JSON.parse(text) as { detail?: string };
    return `${response.status} ${detail ?? text}`;
  } catch {
    return `${response.status} ${text.slice(0, 200)}`;
  }
}

/** The registry's position: its last entry and its last hard delete. */
export function readPosition(response: Response): { seq: number; lastHardDelete: number } {
  const [, seq, lastHardDelete] = (response.headers.get("X-Registry-Seq") ?? "").split(".").map(Number);
  if (seq === undefined || lastHardDelete === undefined || Number.isNaN(seq + lastHardDelete)) {
    throw new RegistryProblem(`${response.url} does not respond like a registry.`);
  }
  return { seq, lastHardDelete };
}
