/** llmsr promote: a version and everything it references, to another context or registry. */
import { AddressProblem, networkProblem, parseAddress } from "./address.ts";
import { parseOptions } from "./parse-options.ts";
import type { Output } from "./shell.ts";
import { UsageError } from "./usage-error.ts";

export const PROMOTE_USAGE = `llmsr promote registers a version, and everything it references, elsewhere: all of it or nothing.

  llmsr promote URL SUBJECT --to-context .prod        in another context
  llmsr promote URL SUBJECT --to-registry production  in another registry, which an operator of the first has listed

  --version VERSION  a number, semver or range (latest)
  --context CONTEXT  of the subject
  --message TEXT     kept in the log
  --header HEADER    sent with every request, such as "Authorization: Bearer …"; may be repeated

Exit code 1: the target refuses, or a proposal waits for approval there.
`;

export async function runPromote(args: readonly string[], output: Output): Promise<number> {
  try {
    return await promote(args, output);
  } catch (error) {
    if (!(error instanceof UsageError) && !(error instanceof AddressProblem)) throw error;
    output.printError(`llmsr: ${error.message}\n`);
    return 2;
  }
}

type Made = { changes?: { result: string; subject: string; version: string | null }[]; detail?: string };

async function promote(args: readonly string[], { print, printError }: Output): Promise<number> {
  const { values, positionals } = parseOptions(args, {
    "to-context": { type: "string" },
    "to-registry": { type: "string" },
    version: { type: "string", default: "latest" },
    context: { type: "string" },
    message: { type: "string" },
    header: { type: "string", multiple: true, default: [] },
    help: { type: "boolean", short: "h", default: false },
  });
  if (values.help) {
    print(PROMOTE_USAGE);
    return 0;
  }
  const [url, subject, ...rest] = positionals;
  const { "to-context": toContext, "to-registry": toRegistry, version, context, message } = values;
  if (url === undefined || subject === undefined || rest.length > 0 || (toContext ?? toRegistry) === undefined) {
    throw new UsageError(`promote takes other arguments.\n\n${PROMOTE_USAGE}`);
  }
  const address = parseAddress(url, values.header);
  const body = { subject, version, context, to_context: toContext, to_registry: toRegistry, message };
  let response: Response;
  try {
    response = await fetch(`${address.url}/api/v1/promotions`, {
      method: "POST",
      headers: { ...address.headers, "content-type": "application/json" },
      body: JSON.stringify(body),
    });
  } catch (error) {
    throw new UsageError(`${address.url} is unreachable: ${networkProblem(error)}`);
  }
  const made = (await response.json().catch(() => ({}))) as Made;
  if (!response.ok) {
    printError(`llmsr: ${made.detail ?? `the registry answered ${response.status}`}\n`);
    return 1;
  }
  for (const { result, subject: of, version: semver } of made.changes ?? []) print(`${result} ${of} ${semver ?? ""}\n`);
  return 0;
}
