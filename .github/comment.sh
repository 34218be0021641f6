#!/usr/bin/env bash
# Writes the result of a stack's preview into the pull request and into the job's summary. There is one comment for each
# stack, and each run replaces it, so that no earlier success stays visible after a failure.
# Variables, besides GitHub's own: STACK; OUTCOME of the preview's step (success, failure, or skipped if an earlier step
# failed); COMMIT; PULL_REQUEST, its number; GH_TOKEN, which may comment.
set -euo pipefail

heading="### Preview of $STACK:"
output=$RUNNER_TEMP/preview.txt
comment=$RUNNER_TEMP/comment.md
case $OUTCOME in
  success) result="this would change" ;;
  failure) result=":x: failed" ;;
  *) result=":x: not made, an earlier step failed" ;;
esac
{
  echo "$heading $result"
  echo
  echo "Of $COMMIT; the whole log is [here]($GITHUB_SERVER_URL/$GITHUB_REPOSITORY/actions/runs/$GITHUB_RUN_ID)."
  if [ -s "$output" ]; then
    # GitHub accepts 65,536 characters in a comment. Errors, policies and the summary are at the end of the output.
    printf '\n<details><summary>pulumi preview</summary>\n\n~~~~~~\n%s\n~~~~~~\n\n</details>\n' "$(tail -c 60000 "$output")"
  fi
} > "$comment"
cat "$comment" >> "$GITHUB_STEP_SUMMARY"

own=".[] | select(.user.login == \"github-actions[bot]\" and (.body | startswith(\"$heading\"))) | .id"
ids=$(gh api --paginate "repos/$GITHUB_REPOSITORY/issues/$PULL_REQUEST/comments" --jq "$own")
if [ -n "$ids" ]; then
  gh api --silent --method PATCH "repos/$GITHUB_REPOSITORY/issues/comments/${ids%%$'\n'*}" -F "body=@$comment"
else
  gh api --silent "repos/$GITHUB_REPOSITORY/issues/$PULL_REQUEST/comments" -F "body=@$comment"
fi
