/** llmsr person and erase: a person's copy of the data, and the erasure of a person or of a schema's text. */
import type { CliCommand } from "../command.ts";
import { EXIT } from "../exit-codes.ts";
import { parseOptions } from "../parse-options.ts";
import { openConfiguredRegistry, REGISTRY_OPTIONS, REGISTRY_USAGE, takeUrl } from "../settings.ts";
import { UsageError } from "../usage-error.ts";

const PERSONAL_DATA_USAGE = `llmsr person and erase handle personal data in a registry.

  llmsr person ACTOR         prints everything about a person as JSON lines; ACTOR is the pseudonym in the log (user:…)
  llmsr erase ACTOR          erases the person: who is behind the pseudonym, and the grants to the person
  llmsr erase ID             erases a version and its text; ID is the id of the record

  --reason TEXT      erase ID: stored in the log; it must not repeat what is erased
${REGISTRY_USAGE}
The log stays verifiable. The registry's URL may also come first: llmsr person https://registry.example.com ACTOR.
`;

const isActor = (whom: string) => whom.startsWith("user:");

export const PERSON_COMMAND: CliCommand = {
  usage: PERSONAL_DATA_USAGE,
  options: REGISTRY_OPTIONS,
  async run(args, shell) {
    const { values, rest } = takeUrl(parseOptions(args, REGISTRY_OPTIONS));
    const actor = onlyOne("person", rest);
    if (!isActor(actor)) throw new UsageError(`"${actor}" is not the pseudonym of a person, such as user:5f1c….`);
    const { registry } = openConfiguredRegistry(shell, values);
    for await (const text of registry.stream(`/people/${encodeURIComponent(actor)}/export`)) shell.print(text);
    return EXIT.ok;
  },
};

const ERASE_OPTIONS = { ...REGISTRY_OPTIONS, reason: { type: "string" } } as const;

export const ERASE_COMMAND: CliCommand = {
  usage: PERSONAL_DATA_USAGE,
  options: ERASE_OPTIONS,
  async run(args, shell) {
    const { values, rest } = takeUrl(parseOptions(args, ERASE_OPTIONS));
    const whom = onlyOne("erase", rest);
    const name = encodeURIComponent(whom);
    const json = values.reason === undefined ? {} : { reason: values.reason };
    const { registry } = openConfiguredRegistry(shell, values);
    const left = isActor(whom)
      ? await registry.write({ method: "DELETE", path: `/people/${name}` })
      : await registry.write({ method: "POST", path: `/schemas/${name}/erase`, json });
    shell.print(`${JSON.stringify(left)}\n`);
    return EXIT.ok;
  },
};

function onlyOne(command: string, [whom, ...others]: readonly string[]): string {
  if (whom !== undefined && others.length === 0) return whom;
  throw new UsageError(`${command} takes other arguments.\n\n${PERSONAL_DATA_USAGE}`);
}
