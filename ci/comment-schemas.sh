#!/usr/bin/env bash
# Puts a report into one comment of a pull request, and updates that comment from then on.
#
#   ci/comment-schemas.sh REPORT PULL_REQUEST
#
# Needs the GitHub CLI with GH_TOKEN, and GITHUB_REPOSITORY (owner/name).
set -euo pipefail

marker='<!-- llmsr check -->'
report=$1
comments="repos/$GITHUB_REPOSITORY/issues/$2/comments"

body=$(mktemp)
trap 'rm -f "$body"' EXIT
# A comment holds 65,536 characters.
{ printf '%s\n' "$marker"; head -c 60000 "$report"; } > "$body"

known=$(gh api "$comments" --paginate --jq ".[] | select(.body | startswith(\"$marker\")) | .id" | head -n 1)
if [ -n "$known" ]; then
  gh api --method PATCH "repos/$GITHUB_REPOSITORY/issues/comments/$known" --field "body=@$body" --silent
else
  gh api --method POST "$comments" --field "body=@$body" --silent
fi
