/** Scripts that imitate `mysqld --version`. */
import { chmod, mkdir, writeFile } from "node:fs/promises";
import path from "node:path";

/** Creates a script that prints a text as its version. @returns its path */
export async function fakeServer(folder: string, says: string, code = 0): Promise<string> {
  await mkdir(folder, { recursive: true });
  const file = path.join(folder, "mysqld");
  await writeFile(file, `#!/bin/sh\necho "${says}"\nexit ${code}\n`);
  await chmod(file, 0o755);
  return file;
}

export const mysql84 = "mysqld  Ver 8.4.6 for Linux on x86_64 (MySQL Community Server - GPL)";
