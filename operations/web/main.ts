import { runCommand } from "../../cli/command";
import { CommandError } from "../../cli/commandError";
import { startWebServer } from "../../cli/page/server";
import { type PublicSettings, publicSettings } from "../../cli/page/settings";
import { stackOutputs } from "../../cli/pulumi";
import { stopRequest } from "../../cli/stopRequests";

const usage = `npm run web -- [--stack NAME]

Serves the page on localhost against a stack that is deployed on AWS; stays until Ctrl-C.

  --stack NAME   the stack whose outputs the page uses (default: dev)
  --help         show this`;

/** The command `npm run web`. Exit code: 0 after Ctrl-C or another stop signal, 1 with the reason otherwise. */
export function main(args: string[]): Promise<void> {
  return runCommand(args, {
    usage,
    options: { stack: { type: "string", default: "dev" } },
    async run({ stack }) {
      await serve(stack);
      return 0;
    },
  });
}

async function serve(stack: string): Promise<void> {
  const settings = publicSettings(await stackOutputs(stack), `The stack ${stack}`);
  const server = await startWebServer({ port: portOf(settings), settings: () => settings }).catch(explainPort);
  try {
    console.log(`The page for the stack ${stack} is at ${settings.webUrl}\nCtrl-C stops it.`);
    await stopRequest();
  } finally {
    await server.close();
  }
}

/** @throws CommandError where this command cannot serve the page at its registered URL */
function portOf({ webUrl }: PublicSettings): number {
  const { protocol, hostname, port } = new URL(webUrl);
  if (protocol !== "http:" || hostname !== "localhost") {
    throw new CommandError(
      `The stack's page on localhost is ${webUrl}, but this command serves http://localhost only. ` +
        "Put such a URL into ecommerce:callbackUrls, before any other on localhost.",
    );
  }
  return Number(port || 80);
}

function explainPort(error: NodeJS.ErrnoException & { port?: number }): never {
  const other = "into ecommerce:callbackUrls, before any other on localhost, and into ecommerce:signOutUrls";
  if (error instanceof CommandError) {
    throw new CommandError(
      `${error.message} Or put a URL with another port ${other}, and deploy that with \`pulumi up\`.`,
      { cause: error },
    );
  }
  if (error.code !== "EACCES") throw error;
  throw new CommandError(`You may not serve on port ${error.port}. Put a URL with a port above 1023 ${other}.`);
}
