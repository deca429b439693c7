/** `llmsr help TOPIC`. */
export const TOPICS: Readonly<Record<string, string>> = {
  "exit-codes": `Exit codes of llmsr.

  0    yes, or done; an empty result too
  1    the answer is no: incompatible, invalid, lint errors
  2    the question is wrong: usage, an unreadable file, a bad configuration; or a defect of llmsr
  3    the registry cannot be reached, or is not ready
  4    not logged in, or not allowed
  5    refused otherwise: a conflict, a precondition, a quota
  130  interrupted
  141  the output of watch, export or audit is no longer read

On 2 to 5 standard output holds only what was printed before the failure, such as events of watch or what an earlier
transaction of push registered; doctor prints its findings with every code. With --json the problem document is the last
line of standard error.
`,
  environment: `Where settings come from, the strongest first.

  an option          --url, --key, --context
  the environment    LLMSR_URL, LLMSR_KEY, LLMSR_CONTEXT
  llmsr.toml         the nearest one up to the root of the repository: url, context, subjects
  config.toml        in $XDG_CONFIG_HOME/llmsr (~/.config/llmsr): url, context
  keys.toml          beside it, written by \`llmsr login\`: one key for each URL, sent nowhere else
  the default        http://localhost:8080

LLMSR_KEY is not sent to a URL that only llmsr.toml names: set LLMSR_URL too, pass --url, or store the key with
\`llmsr login\`. Pydantic and Zod modules run without it.

NO_COLOR and CLICOLOR_FORCE decide on colour; PYTHON names the interpreter for module:Model.
\`llmsr doctor\` prints each value and where it came from.
`,
  formats: `What a schema may be, and how answers are written.

  order.avsc user.json user.yaml user.proto      a file; the ending says the format, or --schema-format
  tools.json#/tools/0/inputSchema                a part of a file
  -                                              standard input
  git:main:order.avsc                            a file at a git revision
  orders@latest orders@3 orders@^2               a registered version
  shop.models:Order                              a Pydantic model, read with python3
  src/order.ts#Order                             a Zod 4 schema, read with node

Tool lists of OpenAI, Anthropic, Gemini, Bedrock and MCP are recognised.
check, diff and push --dry-run write text, json, markdown, github (workflow annotations) or sarif with --format.
`,
};
