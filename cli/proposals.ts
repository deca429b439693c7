/** llmsr propose, approve and reject: changes of protected subjects, from the command line. */
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { type Address, AddressProblem, networkProblem, parseAddress } from "./address.ts";
import type { Output } from "./llmsr.ts";
import { UsageError } from "./usage-error.ts";

const PROPOSALS_USAGE = `llmsr propose, approve and reject handle changes that wait for approval.

  llmsr propose URL FILE        opens a proposal; FILE holds {"message": …, "changes": […]} as POST /change-sets takes it (- reads stdin)
  llmsr propose URL             lists open proposals
  llmsr approve URL ID          approves one; the last missing approval makes its changes
  llmsr reject URL ID [REASON]  rejects one, or withdraws your own

  --header HEADER    sent with every request, such as "Authorization: Bearer …"; may be repeated
  --json             the registry's answer as it is

Exit code 1: the registry refuses.
`;

type ProposalCommand = "propose" | "approve" | "reject";

type Proposal = {
  id: string;
  status: string;
  author: string;
  subjects: string[];
  required: { role: string | null; count: number }[];
  approvals: { actor: string }[];
};

export async function runProposals(command: ProposalCommand, args: readonly string[], output: Output): Promise<number> {
  try {
    return await handle(command, args, output);
  } catch (error) {
    if (!(error instanceof UsageError) && !(error instanceof AddressProblem)) throw error;
    output.printError(`llmsr: ${error.message}\n`);
    return 2;
  }
}

async function handle(command: ProposalCommand, args: readonly string[], output: Output): Promise<number> {
  const { values, positionals } = parse(args);
  if (values.help) {
    output.print(PROPOSALS_USAGE);
    return 0;
  }
  const [url, subject, reason, ...rest] = positionals;
  if (url === undefined || rest.length > 0 || (reason !== undefined && command !== "reject")) {
    throw new UsageError(`${command} takes other arguments.\n\n${PROPOSALS_USAGE}`);
  }
  if (subject === undefined && command !== "propose") throw new UsageError(`${command} takes the id of a proposal.`);
  const address = parseAddress(url, values.header);
  const answer = await send(address, requestOf(command, subject, reason));
  if (answer.status >= 400) {
    const { detail } = answer.body as { detail?: string };
    output.printError(`llmsr: ${detail ?? `the registry answered ${answer.status}`}\n`);
    return 1;
  }
  output.print(values.json ? `${JSON.stringify(answer.body, null, 2)}\n` : render(answer.body));
  return 0;
}

type Sent = { method: "GET" | "POST"; path: string; body?: string };

function requestOf(command: ProposalCommand, subject: string | undefined, reason: string | undefined): Sent {
  if (subject === undefined) return { method: "GET", path: "/proposals?status=open&limit=500" };
  if (command === "propose") return { method: "POST", path: "/proposals", body: readFile(subject) };
  const path = `/proposals/${encodeURIComponent(subject)}/${command}`;
  return command === "approve"
    ? { method: "POST", path }
    : { method: "POST", path, body: JSON.stringify(reason === undefined ? {} : { reason }) };
}

function render(body: unknown): string {
  const { items, proposal } = body as { items?: Proposal[]; proposal?: Proposal };
  if (items?.length === 0) return "No proposal is open.\n";
  return (items ?? [proposal ?? (body as Proposal)]).map(renderOne).join("");
}

function renderOne({ id, status, author, subjects, required, approvals }: Proposal): string {
  const wanted = required.map(({ role, count }) => `${count} of ${role ?? "anybody"}`).join(", ");
  const given = approvals.map(({ actor }) => actor).join(", ") || "none";
  return `${id} ${status}\n  ${subjects.join(", ")}, by ${author}\n  approvals: ${given}${wanted ? `; required: ${wanted}` : ""}\n`;
}

function readFile(file: string): string {
  try {
    return readFileSync(file === "-" ? 0 : file, "utf8");
  } catch (error) {
    throw new UsageError(`${file} cannot be read: ${(error as Error).message}`);
  }
}

async function send(
  { url, headers }: Address,
  { method, path, body }: Sent,
): Promise<{ status: number; body: unknown }> {
  let response: Response;
  try {
    const type = body === undefined ? {} : { "Content-Type": "application/json" };
    response = await fetch(`${url}/api/v1${path}`, { method, headers: { ...headers, ...type }, body: body ?? null });
  } catch (error) {
    throw new UsageError(`${url} cannot be reached: ${networkProblem(error)}`);
  }
  const text = await response.text();
  try {
    return { status: response.status, body: JSON.parse(text) };
  } catch {
    throw new UsageError(`${url} is not a registry: ${method} ${path} answered ${response.status} without JSON.`);
  }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        header: { type: "string", multiple: true, default: [] },
        json: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}
