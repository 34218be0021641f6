/** The server's data: initialised once, kept between starts, never opened by a MySQL version that cannot read it. */
import { readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { CommandError } from "../../cli/commandError";
import { makeFolder, replaceFile } from "../lib/files";
import { isOwn } from "../lib/processes/isRunning";
import { startGuarded } from "../lib/processes/startGuarded";
import { failureOf } from "./log";
import { type MySqlProgram, parseVersion, showVersion, type Version } from "./program";
import { settings } from "./settings";

/** In the data folder: the version that last wrote it. The server itself ignores the file. */
const versionFile = "ecommerce-local-version";

/**
 * Makes sure that `<directory>/data` holds data that this program can open.
 * @param directory absolute path of the server's folder
 * @returns the data folder, and whether it was initialised just now
 * @throws CommandError where the folder cannot be written or holds the data of another version
 */
export async function ensureData(program: MySqlProgram, directory: string): Promise<{ data: string; fresh: boolean }> {
  const data = path.join(directory, "data");
  try {
    await makeFolder(directory);
    const probe = path.join(directory, `.writable.${process.pid}`);
    await writeFile(probe, "");
    await rm(probe);
  } catch (error) {
    throw new CommandError(
      `The folder ${directory} cannot be written (${(error as NodeJS.ErrnoException).code}): make it writable for ` +
        "you, or start in a folder that is.",
    );
  }

  const found = await inspect(data);
  if (found.state === "foreign") {
    throw new CommandError(`${data} exists but was not created by this project: move it away, then start again.`);
  }
  if (found.state === "own") {
    checkVersion(program, found.version, data);
    await waitForPreviousServer(directory);
    return { data, fresh: false };
  }
  await initialise(program, directory, data);
  return { data, fresh: true };
}

/** Records that this program's version has opened the data (a newer server upgrades it in place). */
export function noteVersion(program: MySqlProgram, data: string): void {
  replaceFile(path.join(data, versionFile), `${showVersion(program.version)}\n`);
}

type Found = { state: "missing" } | { state: "foreign" } | { state: "own"; version: Version };

async function inspect(data: string): Promise<Found> {
  const entries = await readdir(data).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw new CommandError(`The folder ${data} cannot be read (${error.code}): make it readable for you.`);
  });
  if (entries.length === 0) return { state: "missing" };
  const version = parseVersion(await readFile(path.join(data, versionFile), "utf8").catch(() => ""));
  return version === undefined ? { state: "foreign" } : { state: "own", version };
}

/** MySQL upgrades data of an older series of the same major version in place, and never downgrades it. */
function checkVersion(program: MySqlProgram, written: Version, data: string): void {
  const { major, minor } = program.version;
  if (written.major === major && written.minor <= minor) return;
  throw new CommandError(
    `The data in ${data} was written by MySQL ${showVersion(written)}, and MySQL ${showVersion(program.version)} ` +
      `(${program.origin}) cannot open it: start with MySQL ${written.major}.${written.minor} ` +
      "(see LOCAL_MYSQL_SOURCE), or delete the data with `npm start -- --reset`.",
  );
}

/**
 * Waits until the server of an earlier start has ended. After a crash of its starter it needs a moment to end, and
 * holds its port and its data until then. A process of another user with the same id is not that server: the file is
 * older than the machine's last restart.
 * @param directory absolute path of the server's folder
 */
export async function waitForPreviousServer(directory: string): Promise<void> {
  const pid = Number(await readFile(path.join(directory, "data/mysqld.pid"), "utf8").catch(() => "0"));
  for (let waited = 0; pid > 0 && isOwn(pid) && waited < 15_000; waited += 100) await sleep(100);
}

/** Initialises another folder and then renames it: an interrupted start leaves no incomplete data. */
async function initialise(program: MySqlProgram, directory: string, data: string): Promise<void> {
  for (const entry of await readdir(directory)) {
    if (entry.startsWith("data.new-")) await rm(path.join(directory, entry), { recursive: true, force: true });
  }
  const fresh = path.join(directory, `data.new-${process.pid}`);
  const logFile = path.join(directory, "initialise.log");
  const args = [
    ...program.prefix,
    // Must be the first option of the server.
    "--no-defaults",
    ...program.options,
    ...settings,
    `--datadir=${fresh}`,
    // root has no password, but every start locks the account before the server listens (`accountStatements`).
    "--initialize-insecure",
  ];
  const initialising = await startGuarded(program.command, args, { logFile });
  const { code } = await initialising.exited;
  if (code !== 0) {
    await rm(fresh, { recursive: true, force: true });
    throw await failureOf(`MySQL could not initialise its data in ${directory}`, logFile);
  }
  noteVersion(program, fresh);
  await rename(fresh, data);
}
