#!/usr/bin/env bash
# Sets the output `newest` to true if this run's commit is the tip of main, else to false. Checks of one commit may take
# longer than those of the next, and an approval may take days: a commit that is no longer the newest must not be
# deployed. Variables, besides GitHub's own: GH_TOKEN, which may read the repository.
set -euo pipefail

tip=$(gh api "repos/$GITHUB_REPOSITORY/git/ref/heads/main" --jq .object.sha)
if [ "$tip" = "$GITHUB_SHA" ]; then
  echo "newest=true" >> "$GITHUB_OUTPUT"
else
  echo "newest=false" >> "$GITHUB_OUTPUT"
  echo "::notice title=Not deployed::This run is of $GITHUB_SHA, and main is at $tip by now. The run of that one deploys both."
fi
