/** llmsr person and erase: a person's copy of the data, and the erasure of a person or of a schema's text. */
import { type Address, AddressProblem, networkProblem, parseAddress } from "./address.ts";
import { parseOptions } from "./parse-options.ts";
import type { Output } from "./shell.ts";
import { UsageError } from "./usage-error.ts";

export const PERSONAL_DATA_USAGE = `llmsr person and erase handle personal data in a registry.

  llmsr person URL ACTOR         prints everything about a person as JSON lines; ACTOR is the pseudonym in the log (user:…)
  llmsr erase URL ACTOR          erases the person: who is behind the pseudonym, and the grants to the person
  llmsr erase URL ID             erases a version and its text; ID is the id of the record

  --reason TEXT      erase: stored in the log; it must not repeat what is erased
  --header HEADER    sent with every request, such as "Authorization: Bearer …"; may be repeated

The log stays verifiable. Exit code 1: the registry refuses.
`;

export async function runPersonalData(
  command: "person" | "erase",
  args: readonly string[],
  output: Output,
): Promise<number> {
  try {
    return await handle(command, args, output);
  } catch (error) {
    if (!(error instanceof UsageError) && !(error instanceof AddressProblem)) throw error;
    output.printError(`llmsr: ${error.message}\n`);
    return 2;
  }
}

async function handle(command: "person" | "erase", args: readonly string[], output: Output): Promise<number> {
  const { values, positionals } = parseOptions(args, {
    reason: { type: "string" },
    header: { type: "string", multiple: true, default: [] },
    help: { type: "boolean", short: "h", default: false },
  });
  if (values.help) {
    output.print(PERSONAL_DATA_USAGE);
    return 0;
  }
  const [url, whom, ...rest] = positionals;
  const isPerson = whom?.startsWith("user:") === true;
  const isMissing = url === undefined || whom === undefined || rest.length > 0;
  if (isMissing || (command === "person" && !isPerson) || (command === "person" && values.reason !== undefined)) {
    throw new UsageError(`${command} takes other arguments.\n\n${PERSONAL_DATA_USAGE}`);
  }
  const response = await send(parseAddress(url, values.header), requestOf(command, whom, values.reason));
  if (!response.ok) {
    const { detail } = (await response.json().catch(() => ({}))) as { detail?: string };
    output.printError(`llmsr: ${detail ?? `the registry answered ${response.status}`}\n`);
    return 1;
  }
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) output.print(decoder.decode(chunk as Uint8Array, { stream: true }));
  if (command === "erase") output.print("\n");
  return 0;
}

type Sent = { method: "GET" | "POST" | "DELETE"; path: string; body?: string };

function requestOf(command: "person" | "erase", whom: string, reason: string | undefined): Sent {
  const name = encodeURIComponent(whom);
  if (command === "person") return { method: "GET", path: `/people/${name}/export` };
  if (whom.startsWith("user:")) return { method: "DELETE", path: `/people/${name}` };
  return {
    method: "POST",
    path: `/schemas/${name}/erase`,
    body: JSON.stringify(reason === undefined ? {} : { reason }),
  };
}

async function send({ url, headers }: Address, { method, path, body }: Sent): Promise<Response> {
  try {
    return await fetch(`${url}/api/v1${path}`, {
      method,
      headers: { ...headers, ...(body === undefined ? {} : { "content-type": "application/json" }) },
      ...(body === undefined ? {} : { body }),
    });
  } catch (error) {
    throw new UsageError(`${url} is unreachable: ${networkProblem(error)}`);
  }
}
