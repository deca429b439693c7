#!/usr/bin/env bash
# Checks a repository's schemas, and writes what it finds as Markdown, as annotations of a GitHub workflow, and as outputs.
#
#   ci/check-schemas.sh [FILE…]    the files or folders, or all of llmsr.toml
#
#   LLMSR            the command (llmsr)
#   LLMSR_AGAINST    a revision such as git:origin/main; empty: the registry's newest versions (LLMSR_URL, LLMSR_KEY)
#   LLMSR_REPORT     the Markdown file (schema-check.md)
#
# Exits as `llmsr check` does: 1 if a change is breaking, 2 and above if it could not be checked.
set -uo pipefail

read -r -a llmsr <<< "${LLMSR:-llmsr}"
report=${LLMSR_REPORT:-schema-check.md}
check=("${llmsr[@]}" check "$@")
if [ -n "${LLMSR_AGAINST-}" ]; then check+=(--against "$LLMSR_AGAINST"); fi

problems=$(mktemp)
trap 'rm -f "$problems"' EXIT
"${check[@]}" --format markdown > "$report" 2> "$problems"
code=$?
if [ "${GITHUB_ACTIONS-}" = true ] && [ -s "$problems" ]; then
  # Messages quote a pull request's own text, which the runner would read as workflow commands.
  token=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
  { printf '::stop-commands::%s\n' "$token"; cat "$problems"; printf '\n::%s::\n' "$token"; } >&2
else
  cat "$problems" >&2
fi
if [ "$code" -gt 1 ]; then
  # Nothing was checked, which must not look like a report without findings.
  { printf '## Schemas: not checked\n\n```\n'; sed 's/```/` ` `/g' "$problems"; printf '```\n'; } > "$report"
elif [ "${GITHUB_ACTIONS-}" = true ]; then
  "${check[@]}" --format github 2> /dev/null || true
fi

if [ -n "${GITHUB_STEP_SUMMARY-}" ]; then cat "$report" >> "$GITHUB_STEP_SUMMARY"; fi
if [ -n "${GITHUB_OUTPUT-}" ]; then
  { echo "exit-code=$code"; echo "report=$report"; } >> "$GITHUB_OUTPUT"
fi
exit "$code"
