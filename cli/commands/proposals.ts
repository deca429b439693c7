/** llmsr propose, approve and reject: changes of protected subjects, from the command line. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { CliCommand } from "../command.ts";
import { readSchemaEntries } from "../entries.ts";
import { EXIT } from "../exit-codes.ts";
import { FORMAT_OPTIONS } from "../output/formats.ts";
import { parseOptions } from "../parse-options.ts";
import { toSetChanges } from "../push-changes.ts";
import type { Registry } from "../registry.ts";
import { openConfiguredRegistry, qualifySubject, REGISTRY_OPTIONS, REGISTRY_USAGE, takeUrl } from "../settings.ts";
import type { Shell } from "../shell.ts";
import { cannotRead, UsageError } from "../usage-error.ts";
import { readInputOptions } from "./compare.ts";

const PROPOSALS_USAGE = `llmsr propose, approve and reject handle changes that wait for approval.

  llmsr propose                   lists open proposals
  llmsr propose FILE…             opens a proposal for schema files or folders, as \`llmsr push\` takes them
  llmsr propose CHANGES           opens one for {"message": …, "changes": […]}, as POST /change-sets takes it (- reads stdin)
  llmsr approve ID                approves one; the last missing approval makes its changes
  llmsr reject ID [REASON]        rejects one, or withdraws your own

  --message TEXT     why the change is made
  --subject NAME     of the file, where llmsr.toml does not say it
  --prefix PREFIX    of subjects that are named after their files or tools
  --json             the registry's answer as it is
${REGISTRY_USAGE}
The registry's URL may also come first: llmsr approve https://registry.example.com ID.
`;

type Proposal = {
  id: string;
  status: string;
  author: string;
  subjects: string[];
  required: { role: string | null; count: number }[];
  approvals: { actor: string }[];
};

const PROPOSAL_OPTIONS = {
  ...REGISTRY_OPTIONS,
  ...FORMAT_OPTIONS,
  message: { type: "string", short: "m" },
  subject: { type: "string" },
  prefix: { type: "string" },
} as const;

type Asked = { values: ReturnType<typeof parse>["values"]; rest: string[]; registry: Registry; shell: Shell };

function parse(args: readonly string[]) {
  return parseOptions(args, PROPOSAL_OPTIONS);
}

function proposalCommand(ask: (asked: Asked) => Promise<unknown>): CliCommand {
  return {
    usage: PROPOSALS_USAGE,
    options: PROPOSAL_OPTIONS,
    async run(args, shell) {
      const { values, rest } = takeUrl(parse(args));
      const { registry } = openConfiguredRegistry(shell, values);
      const answer = await ask({ values, rest, registry, shell });
      shell.print(values.json ? `${JSON.stringify(answer, null, 2)}\n` : render(answer));
      return EXIT.ok;
    },
  };
}

export const PROPOSE_COMMAND = proposalCommand(async ({ values, rest, registry, shell }) => {
  const [first] = rest;
  if (first === undefined) return registry.get("/proposals", { status: "open", limit: "500" });
  const changes = rest.length === 1 ? readChanges(first, shell) : undefined;
  if (changes !== undefined) {
    const json = values.message === undefined ? changes : { ...changes, message: values.message };
    return registry.write({ method: "POST", path: "/proposals", json });
  }
  const { settings } = openConfiguredRegistry(shell, values);
  const entries = await readSchemaEntries(rest, settings.project, values, readInputOptions(values, shell));
  const json = {
    ...(values.message === undefined ? {} : { message: values.message }),
    changes: toSetChanges(entries, (subject) => qualifySubject(subject, settings)),
  };
  return registry.write({ method: "POST", path: "/proposals", json });
});

export const APPROVE_COMMAND = proposalCommand(({ rest, registry }) => {
  const id = proposalOf("approve", rest, 1);
  return registry.write({ method: "POST", path: `/proposals/${encodeURIComponent(id)}/approve` });
});

export const REJECT_COMMAND = proposalCommand(({ rest, registry }) => {
  const id = proposalOf("reject", rest, 2);
  const [, reason] = rest;
  const json = reason === undefined ? {} : { reason };
  return registry.write({ method: "POST", path: `/proposals/${encodeURIComponent(id)}/reject`, json });
});

function proposalOf(command: string, [id, ...rest]: readonly string[], most: number): string {
  if (id === undefined) throw new UsageError(`${command} takes the id of a proposal.`);
  if (rest.length >= most) throw new UsageError(`${command} takes other arguments.\n\n${PROPOSALS_USAGE}`);
  return id;
}

/** The changes of a file that is a change set; undefined if it is a schema. */
function readChanges(file: string, shell: Shell): { changes: unknown } | undefined {
  if (file !== "-" && !file.endsWith(".json")) return undefined;
  let text: string;
  try {
    text = file === "-" ? shell.readStdin() : readFileSync(resolve(shell.cwd, file), "utf8");
  } catch (error) {
    throw cannotRead(file, error);
  }
  try {
    const value = JSON.parse(text) as { changes?: unknown };
    return Array.isArray(value.changes) ? { ...value, changes: value.changes } : undefined;
  } catch {
    return undefined;
  }
}

function render(body: unknown): string {
  const { items, proposal } = body as { items?: Proposal[]; proposal?: Proposal };
  if (items?.length === 0) return "No proposal is open.\n";
  return (items ?? [proposal ?? (body as Proposal)]).map(renderOne).join("");
}

function renderOne({ id, status, author, subjects, required, approvals }: Proposal): string {
  const wanted = required.map(({ role, count }) => `${count} of ${role ?? "any role"}`).join(", ");
  const given = approvals.map(({ actor }) => actor).join(", ") || "none";
  return `${id} ${status}\n  ${subjects.join(", ")}, by ${author}\n  approvals: ${given}${wanted ? `; required: ${wanted}` : ""}\n`;
}
