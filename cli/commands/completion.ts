/** llmsr completion: scripts for shells, from the same table as the help. */
import type { CliCommand } from "../command.ts";
import { EXIT } from "../exit-codes.ts";
import { parseOptions } from "../parse-options.ts";
import { openConfiguredRegistry, REGISTRY_OPTIONS } from "../settings.ts";
import { UsageError } from "../usage-error.ts";

const COMPLETION_USAGE = `llmsr completion prints a completion script.

  llmsr completion bash > /etc/bash_completion.d/llmsr
  llmsr completion zsh > "\${fpath[1]}/_llmsr"
  llmsr completion fish > ~/.config/fish/completions/llmsr.fish

Subjects complete from the configured registry, if it answers at once.
`;

/** Commands whose arguments are subjects. */
const SUBJECT_COMMANDS = ["show", "history", "pull", "list"];
/** Users do not wait longer for a completion. */
const ANSWER_WITHIN_MS = 300;
const MAX_SUBJECTS = "100";

const COMPLETION_OPTIONS = { ...REGISTRY_OPTIONS } as const;

export function completionCommand(
  load: () => Promise<{ name: string; summary: string; options: string[] }[]>,
): CliCommand {
  return {
    usage: COMPLETION_USAGE,
    options: COMPLETION_OPTIONS,
    async run(args, shell) {
      const { values, positionals } = parseOptions(args, COMPLETION_OPTIONS);
      const [kind, prefix = ""] = positionals;
      if (kind === "subjects") {
        const { registry, settings } = openConfiguredRegistry(
          { ...shell, signal: AbortSignal.any([shell.signal, AbortSignal.timeout(ANSWER_WITHIN_MS)]) },
          values,
        );
        const query = { prefix, limit: MAX_SUBJECTS, context: settings.context.value };
        const page = await registry.get<{ items: { subject: string }[] }>("/subjects", query).catch(() => undefined);
        const names = (page?.items ?? []).map(({ subject }) => subject);
        // A line break would split a name into two, and an escape sequence would reach the terminal.
        for (const name of names) if (!/\p{Cc}/u.test(name)) shell.print(`${name}\n`);
        return EXIT.ok;
      }
      const print = kind === undefined ? undefined : SCRIPTS[kind];
      if (print === undefined) throw new UsageError(`completion takes bash, zsh or fish.\n\n${COMPLETION_USAGE}`);
      shell.print(print(await load()));
      return EXIT.ok;
    },
  };
}

type Completed = readonly { name: string; summary: string; options: readonly string[] }[];

/**
 * Names of subjects are other people's text. bash expands the words of `compgen -W`, commands in them included, and inserts
 * COMPREPLY as it is, so names are compared and quoted by hand; zsh and fish quote what they insert.
 */
const SCRIPTS: Readonly<Record<string, (commands: Completed) => string>> = {
  bash: (commands) => `_llmsr() {
  local word="\${COMP_WORDS[COMP_CWORD]}" command="\${COMP_WORDS[1]}"
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "${commands.map(({ name }) => name).join(" ")}" -- "$word"))
    return
  fi
  if [[ "$word" == -* ]]; then
    case "$command" in
${commands.map(({ name, options }) => `      ${name}) COMPREPLY=($(compgen -W "${options.join(" ")}" -- "$word")) ;;`).join("\n")}
    esac
    return
  fi
  # Without matches, readline completes names of files and quotes them.
  COMPREPLY=()
  case "$command" in
    ${SUBJECT_COMMANDS.join("|")})
      local name
      while IFS= read -r name; do
        [[ "$name" == "$word"* ]] && COMPREPLY+=("$(printf %q "$name")")
      done < <(llmsr completion subjects "$word" 2>/dev/null)
      ;;
  esac
}
complete -o default -F _llmsr llmsr
`,
  zsh: (commands) => `#compdef llmsr
_llmsr() {
  local -a commands
  commands=(
${commands.map(({ name, summary }) => `    '${name}:${quoteSingle(summary)}'`).join("\n")}
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  if [[ "$words[CURRENT]" == -* ]]; then
    case "$words[2]" in
${commands.map(({ name, options }) => `      ${name}) compadd -- ${options.join(" ")} ;;`).join("\n")}
    esac
    return
  fi
  case "$words[2]" in
    ${SUBJECT_COMMANDS.join("|")}) compadd -- \${(f)"$(llmsr completion subjects "$words[CURRENT]" 2>/dev/null)"} ;;
    *) _files ;;
  esac
}
_llmsr "$@"
`,
  fish: (commands) =>
    [
      ...commands.map(
        ({ name, summary }) => `complete -c llmsr -n __fish_use_subcommand -f -a ${name} -d '${quoteSingle(summary)}'`,
      ),
      ...commands.flatMap(({ name, options }) =>
        options.map(
          (option) => `complete -c llmsr -n '__fish_seen_subcommand_from ${name}' -l ${option.replace(/^--/, "")}`,
        ),
      ),
      `complete -c llmsr -n '__fish_seen_subcommand_from ${SUBJECT_COMMANDS.join(" ")}' -f -a '(llmsr completion subjects (commandline -ct) 2>/dev/null)'`,
      "",
    ].join("\n"),
};

function quoteSingle(text: string): string {
  return text.replaceAll("'", "’").replaceAll(":", ",");
}
