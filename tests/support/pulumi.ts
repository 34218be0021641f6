/** A stand-in for the Pulumi CLI, for a folder on the PATH. */
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export interface Answer {
  /** The one question that it answers, as the command line has it; to any other it says what it got, with code 9. */
  readonly to: string;
  readonly stdout?: string;
  readonly stderr?: string;
  readonly code?: number;
  /** Says nothing, and does not end. */
  readonly hangs?: boolean;
}

/** What `npm run reconcile` and `npm run web` ask for, and `npm run drift`. */
export const asksForOutputs = (stack: string) => `stack output --json --non-interactive --stack=${stack}`;
export const asksForState = (stack: string) => `stack export --show-secrets --non-interactive --stack=${stack}`;

/** Puts one into the folder that answers as the real one was seen to. */
export function standInPulumi(folder: string, answer: Answer): void {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, "pulumi");
  const script = [
    `#!${process.execPath}`,
    `const answer = JSON.parse(require("node:fs").readFileSync(__filename + ".json", "utf8"));`,
    `const asked = process.argv.slice(2).join(" ");`,
    `if (asked !== answer.to) { console.error("got " + asked); process.exit(9); }`,
    `if (answer.hangs) setInterval(() => {}, 1000);`,
    `process.stdout.write(answer.stdout ?? ""); process.stderr.write(answer.stderr ?? "");`,
    `process.exitCode = answer.code ?? 0;`,
  ];
  writeFileSync(`${file}.json`, JSON.stringify(answer));
  writeFileSync(file, script.join("\n"));
  chmodSync(file, 0o755);
}
