import { constants } from "node:fs";
import { readFile, realpath } from "node:fs/promises";
import path from "node:path";
import { exists } from "../lib/files";
import { askVersion, type MySqlProgram } from "./program";

/** Where packages install servers; these folders are often not on a person's PATH. */
const usualFolders = ["/usr/sbin", "/usr/local/sbin", "/usr/libexec", "/usr/local/mysql/bin", "/opt/homebrew/bin"];

/** Ubuntu's `mysql-server` has an AppArmor profile with which this file can open only the system's own data folder. */
const confined = { program: "/usr/sbin/mysqld", profile: "/etc/apparmor.d/usr.sbin.mysqld" };

/**
 * Finds `mysqld` on the PATH, then in the usual folders for servers.
 * @param searchPath folders as in PATH, @default this process's
 * @param folders @default the usual ones
 * @throws Error with a sentence where there is none that can be used
 */
export async function pathProgram(
  searchPath = process.env.PATH ?? "",
  folders: readonly string[] = usualFolders,
): Promise<MySqlProgram> {
  const refusals: string[] = [];
  for (const folder of new Set([...searchPath.split(path.delimiter), ...folders])) {
    const command = path.join(folder, "mysqld");
    if (!path.isAbsolute(folder) || !(await exists(command, constants.X_OK))) continue;
    try {
      const version = await askVersion(command);
      if (await isConfined(command)) {
        throw new Error(
          `${command} can use only the system's own data folder, because of the AppArmor profile ${confined.profile}`,
        );
      }
      return { command, prefix: [], options: [], version, origin: `mysqld on the PATH (${command})` };
    } catch (error) {
      refusals.push((error as Error).message);
    }
  }
  throw new Error(refusals.length > 0 ? refusals.join("; ") : "there is no mysqld on the PATH or in the usual folders");
}

async function isConfined(command: string): Promise<boolean> {
  const enabled = await readFile("/sys/module/apparmor/parameters/enabled", "utf8").catch(() => "N");
  if (!enabled.startsWith("Y")) return false;
  return (await exists(confined.profile)) && (await realpath(command)) === confined.program;
}
