import { runCommand } from "../../cli/command";
import { defaultDataFolder } from "../../cli/folders";
import { run } from "./run";

const usage = `npm start -- [--once] [--reset] [--stack NAME] [--set KEY=VALUE]... [--dir FOLDER]

Runs the whole system on this machine and signs one person up as proof; stays until Ctrl-C.

  --once            stop after the proof, with exit code 0, or 1 and the reason
  --reset           start from nothing: forget all users, rows, pictures and addresses
  --stack NAME      take the configuration of Pulumi.NAME.yaml (default: dev)
  --set KEY=VALUE   take this configuration value instead of the stack's, for example
                    --set callbackUrls=http://localhost:3001/ (may be given several times)
  --dir FOLDER      keep the data in this folder (default: .local, and for another stack .local-NAME)
  --help            show this

Variables of the environment:

  LOCAL_MYSQL_URL      a MySQL server to use: mysql://user:password@host:port
  LOCAL_MYSQL_SOURCE   take MySQL from url, path, download or debian only (default: the first that works)
  LOCAL_PORTS          choose ports from FIRST-LAST (default: 20000-29999)`;

/** The command `npm start`. Exit code: 0 when it was asked to stop, 1 with the reason otherwise. */
export function main(args: string[]): Promise<void> {
  return runCommand(args, {
    usage,
    options: {
      once: { type: "boolean", default: false },
      reset: { type: "boolean", default: false },
      stack: { type: "string", default: "dev" },
      set: { type: "string", multiple: true, default: [] },
      dir: { type: "string" },
    },
    async run({ dir, ...options }) {
      await run({ ...options, dir: dir ?? defaultDataFolder(options.stack) });
      return 0;
    },
  });
}
