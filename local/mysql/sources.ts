/** Finds a MySQL for this machine. */
import { CommandError } from "../../cli/commandError";
import { cacheFolder } from "./cache";
import { debianProgram } from "./debian";
import { downloadedProgram } from "./download";
import { type ExistingServer, existingServer } from "./existingServer";
import { pathProgram } from "./path";
import { type MySqlProgram, showVersion } from "./program";

export type MySqlSource =
  | { readonly kind: "program"; readonly program: MySqlProgram; readonly description: string }
  | { readonly kind: "server"; readonly server: ExistingServer; readonly description: string };

/** The four ways to get a MySQL. Each fails with a sentence. Tests replace them. */
export interface Ways {
  url(text: string): Promise<ExistingServer>;
  path(): Promise<MySqlProgram>;
  download(): Promise<MySqlProgram>;
  debian(): Promise<MySqlProgram>;
}

const programWays = ["path", "download", "debian"] as const;
const wayNames = ["url", ...programWays] as const;

/**
 * Finds a MySQL 8.0 or newer: the server that `LOCAL_MYSQL_URL` names, else `mysqld` on the PATH, else a download from
 * MySQL, else Debian's package. `LOCAL_MYSQL_SOURCE` (`url`, `path`, `download` or `debian`) selects one of them. A
 * fetched program is kept in `LOCAL_CACHE_DIR`, by default the user's cache folder.
 *
 * The search ends with an error where the named server cannot be used: another server would silently have other data.
 * @throws CommandError with the reason why each way failed
 */
export async function findMySql(
  say: (line: string) => void,
  env: NodeJS.ProcessEnv = process.env,
  ways: Ways = realWays(say, env),
): Promise<MySqlSource> {
  const only = env.LOCAL_MYSQL_SOURCE || undefined;
  if (only !== undefined && !(wayNames as readonly string[]).includes(only)) {
    throw new CommandError(
      `LOCAL_MYSQL_SOURCE is ${JSON.stringify(only)}; it must be ${wayNames.join(", ")} or unset.`,
    );
  }
  const url = env.LOCAL_MYSQL_URL || undefined;
  if (only === "url" || (only === undefined && url !== undefined)) {
    if (url === undefined) throw new CommandError("LOCAL_MYSQL_SOURCE is url, and LOCAL_MYSQL_URL is not set.");
    const server = await ways.url(url).catch((error: Error) => {
      const advice = "Start that server, correct LOCAL_MYSQL_URL, or unset it to use another MySQL.";
      throw new CommandError(`${error.message}. ${advice}`, { cause: error });
    });
    return { kind: "server", server, description: `MySQL ${showVersion(server.version)}, ${server.origin}` };
  }

  const failures = new Map<string, string>();
  for (const way of programWays) {
    if (only !== undefined && only !== way) continue;
    try {
      const program = await ways[way]();
      return { kind: "program", program, description: `MySQL ${showVersion(program.version)}, ${program.origin}` };
    } catch (error) {
      failures.set(way, (error as Error).message);
    }
  }
  throw new CommandError(allFailed(failures, only));
}

function realWays(say: (line: string) => void, env: NodeJS.ProcessEnv): Ways {
  const cache = cacheFolder(env);
  return {
    url: existingServer,
    path: () => pathProgram(env.PATH),
    download: () => downloadedProgram({ cache, say }),
    debian: () => debianProgram({ cache, say, path: env.PATH }),
  };
}

function allFailed(failures: ReadonlyMap<string, string>, only: string | undefined): string {
  const line = (title: string, way: string, otherwise: string) => `  ${title}: ${failures.get(way) ?? otherwise}`;
  const skipped = `not tried (LOCAL_MYSQL_SOURCE is ${only})`;
  return [
    "This machine has no MySQL 8.0 or newer. One of these four ways is needed:",
    line("1. a server that is already running, named by LOCAL_MYSQL_URL", "url", only ? skipped : "not set"),
    line("2. mysqld on the PATH", "path", skipped),
    line("3. a download from MySQL", "download", skipped),
    line("4. Debian's package", "debian", skipped),
  ].join("\n");
}
