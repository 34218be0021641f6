#!/usr/bin/env bash
# Tells by the output `newest` (true or false) whether this run's commit is the tip of main. Checks of one commit may take
# longer than those of the next, and an approval takes as long as it takes: what is older by then must not be deployed.
# In the environment, beside GitHub's own: GH_TOKEN, which may read the repository.
set -euo pipefail

tip=$(gh api "repos/$GITHUB_REPOSITORY/git/ref/heads/main" --jq .object.sha)
if [ "$tip" = "$GITHUB_SHA" ]; then
  echo "newest=true" >> "$GITHUB_OUTPUT"
else
  echo "newest=false" >> "$GITHUB_OUTPUT"
  echo "::notice title=Not deployed::This run is of $GITHUB_SHA, and main is at $tip by now. The run of that one deploys both."
fi
