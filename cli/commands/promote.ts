/** llmsr promote: a version and everything it references, to another context or registry. */
import type { CliCommand } from "../command.ts";
import { EXIT } from "../exit-codes.ts";
import { parseOptions } from "../parse-options.ts";
import { openConfiguredRegistry, qualifySubject, REGISTRY_OPTIONS, REGISTRY_USAGE, takeUrl } from "../settings.ts";
import { UsageError } from "../usage-error.ts";

const PROMOTE_USAGE = `llmsr promote registers a version, and everything it references, elsewhere: all of it or nothing.

  llmsr promote SUBJECT --to-context .prod        in another context
  llmsr promote SUBJECT --to-registry production  in another registry, which an operator of the first has listed

  --version VERSION  a number, semver or range (latest)
  --message TEXT     kept in the log
${REGISTRY_USAGE}
The registry's URL may also come first: llmsr promote https://registry.example.com SUBJECT --to-context .prod.

Exit codes: 1 the target finds it incompatible, 5 it is refused otherwise, also where a proposal now waits for approval there.
`;

const PROMOTE_OPTIONS = {
  ...REGISTRY_OPTIONS,
  "to-context": { type: "string" },
  "to-registry": { type: "string" },
  version: { type: "string", default: "latest" },
  message: { type: "string", short: "m" },
} as const;

type Made = { changes: { result: string; subject: string; version: string | null }[] };

export const PROMOTE_COMMAND: CliCommand = {
  usage: PROMOTE_USAGE,
  options: PROMOTE_OPTIONS,
  async run(args, shell) {
    const { values, rest } = takeUrl(parseOptions(args, PROMOTE_OPTIONS));
    const [subject, ...others] = rest;
    const { "to-context": to_context, "to-registry": to_registry, version, message } = values;
    if (subject === undefined || others.length > 0 || (to_context ?? to_registry) === undefined) {
      throw new UsageError(`promote takes other arguments.\n\n${PROMOTE_USAGE}`);
    }
    const { registry, settings } = openConfiguredRegistry(shell, values);
    const json = { subject: qualifySubject(subject, settings), version, to_context, to_registry, message };
    const { changes } = await registry.write<Made>({ method: "POST", path: "/promotions", json });
    for (const { result, subject: of, version: semver } of changes) shell.print(`${result} ${of} ${semver ?? ""}\n`);
    return EXIT.ok;
  },
};
