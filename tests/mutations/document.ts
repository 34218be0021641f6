/** Renders `docs/caught.md`; run by itself, writes it. */
import { writeFileSync } from "node:fs";
import path from "node:path";
import type { Catch } from "./mutation";
import { mutations, sections } from "./mutations";

export function caughtDocument(): string {
  const tables = Object.entries(sections).map(([title, changes]) =>
    [
      `## ${title}`,
      "",
      "| change | what AWS would do | what catches it here |",
      "|---|---|---|",
      ...changes.map(({ name, onAws, caughtBy, edits }) =>
        row(name, onAws, `${catcher(caughtBy)}${edits ? ", after an edit" : ""}`),
      ),
    ].join("\n"),
  );
  return `${introduction}\n${tables.join("\n\n")}\n`;
}

const introduction = `# What catches wrong infrastructure

The program is evaluated on this machine against real parts, so what would break on AWS should break here first.
\`tests/mutations/\` holds that to the test: it changes one thing at a time in what the program registers, ${mutations.length}
things in all, and expects each change to be noticed by the first of these that can:

1. **the start** refuses it with a sentence that names the fault (part of it stands in the table);
2. **the story** goes wrong on the system that did start: sign up by the AWS SDK, read the mail, confirm, look for the
   row, sign in on the login pages with PKCE, send a preflight, upload a JPEG through the API, look at it from the
   bucket as anyone, download it through the API, ask for one that is not there, come without a token, try more than
   reading on the bucket;
3. **a row's checks** fail: the documented settings (S1 to S9), asserted on what is registered. \`npm test\` runs them;
   \`npm start\` does not.

Without a change, nothing of it fails. \`node_modules/.bin/tsx tests/mutations/document.ts\` writes this file, and the test
keeps it equal to the code.
`;

const row = (...cells: string[]) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;

function catcher(caughtBy: Catch): string {
  if ("start" in caughtBy) return `the start: “${caughtBy.start}”`;
  if ("row" in caughtBy) return `the checks of row ${caughtBy.row}`;
  return `the story, ${caughtBy.story}${caughtBy.says ? `: “${caughtBy.says}”` : ""}`;
}

if (require.main === module) writeFileSync(path.join(__dirname, "../../docs/caught.md"), caughtDocument());
