/** A stand-in for the Pulumi CLI, in a folder that a test puts on the PATH. */
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export interface Answer {
  /** The only arguments that it accepts, joined by spaces; for others it prints what it got and exits with code 9. */
  readonly to: string;
  readonly stdout?: string;
  readonly stderr?: string;
  readonly code?: number;
  /** Does not end. */
  readonly hangs?: boolean;
}

/** The arguments that `npm run reconcile` and `npm run web` use, and those of `npm run drift`. */
export const outputsArguments = (stack: string) => `stack output --json --non-interactive --stack=${stack}`;
export const stateArguments = (stack: string) => `stack export --show-secrets --non-interactive --stack=${stack}`;

/** Writes a stand-in into the folder; its output and exit code are those of the answer. */
export function standInPulumi(folder: string, answer: Answer): void {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, "pulumi");
  const script = [
    `#!${process.execPath}`,
    `const answer = JSON.parse(require("node:fs").readFileSync(__filename + ".json", "utf8"));`,
    `const args = process.argv.slice(2).join(" ");`,
    `if (args !== answer.to) { console.error("got " + args); process.exit(9); }`,
    `if (answer.hangs) setInterval(() => {}, 1000);`,
    `process.stdout.write(answer.stdout ?? ""); process.stderr.write(answer.stderr ?? "");`,
    `process.exitCode = answer.code ?? 0;`,
  ];
  writeFileSync(`${file}.json`, JSON.stringify(answer));
  writeFileSync(file, script.join("\n"));
  chmodSync(file, 0o755);
}
