/** Where this machine's MySQL comes from. */
import { CommandError } from "../../cli/commandError";
import { cacheFolder } from "./cache";
import { debianProgram } from "./debian";
import { downloadedProgram } from "./download";
import { type ExistingServer, existingServer } from "./existing";
import { pathProgram } from "./path";
import { type MySqlProgram, showVersion } from "./program";

export type MySqlSource =
  | { readonly kind: "program"; readonly program: MySqlProgram; readonly description: string }
  | { readonly kind: "server"; readonly server: ExistingServer; readonly description: string };

/** One way to a MySQL; each fails with a sentence. The download's and Debian's are replaced by tests. */
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
 * MySQL, else Debian's package. `LOCAL_MYSQL_SOURCE` (`url`, `path`, `download` or `debian`) takes just that one. What
 * was fetched is kept in `LOCAL_CACHE_DIR`, by default the user's cache folder.
 *
 * A server that is named but cannot be used ends the search: its data must not silently be replaced by another's.
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
      `LOCAL_MYSQL_SOURCE is ${JSON.stringify(only)}, and may be ${wayNames.join(", ")} or unset.`,
    );
  }
  const url = env.LOCAL_MYSQL_URL || undefined;
  if (only === "url" || (only === undefined && url !== undefined)) {
    if (url === undefined) throw new CommandError("LOCAL_MYSQL_SOURCE is url, and LOCAL_MYSQL_URL is not set.");
    const server = await ways.url(url).catch((error: Error) => {
      const way = "Start that server, or correct LOCAL_MYSQL_URL; without it, another MySQL is looked for.";
      throw new CommandError(`${error.message}. ${way}`, { cause: error });
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
  throw new CommandError(nothing(failures, only));
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

function nothing(failures: ReadonlyMap<string, string>, only: string | undefined): string {
  const line = (title: string, way: string, otherwise: string) => `  ${title}: ${failures.get(way) ?? otherwise}`;
  const skipped = `not tried (LOCAL_MYSQL_SOURCE is ${only})`;
  return [
    "No MySQL 8.0 or newer is to be had on this machine. One of these four ways is needed:",
    line("1. a server that runs already, named by LOCAL_MYSQL_URL", "url", only ? skipped : "not set"),
    line("2. mysqld on the PATH", "path", skipped),
    line("3. a download from MySQL", "download", skipped),
    line("4. Debian's package", "debian", skipped),
  ].join("\n");
}
