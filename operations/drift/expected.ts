import { mkdtemp, readFile, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { CommandError } from "../../cli/commandError";
import { freePort } from "../../cli/ports";
import { ensureCertificates } from "../../local/lib/certificates";
import { startServer } from "../../local/mysql/server";
import { findMySql } from "../../local/mysql/sources";
import { applySchema } from "../../schema/apply";
import { type LiveTables, readLiveTables } from "../../schema/drift";
import type { SchemaPlan } from "../../schema/plan";

/**
 * The tables that the files create, as MySQL describes them. Starts an empty server on this machine, with the MySQL
 * that `npm start` would use, applies the files to it, and removes it afterwards.
 *
 * @param say reports a download's progress
 * @param signal aborts; the server is still ended and removed
 * @throws CommandError where this machine has no MySQL and can get none, SchemaError where the files cannot be applied
 */
export async function expectedTables(
  files: Pick<SchemaPlan, "database" | "sql" | "migrations">,
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<LiveTables> {
  // A server that is already running may contain data that must not be changed.
  const source = await findMySql(say, { ...process.env, LOCAL_MYSQL_URL: undefined });
  if (source.kind !== "program") {
    throw new CommandError(
      "The files are applied to an empty server that is started for it: unset LOCAL_MYSQL_SOURCE.",
    );
  }
  const folder = await mkdtemp(path.join(os.tmpdir(), "ecommerce-drift-"));
  try {
    const certificates = await ensureCertificates(path.join(folder, "tls"));
    const directory = path.join(folder, "mysql");
    const started = await startServer({ program: source.program, directory, port: await freePort(), certificates });
    try {
      const { port, administrator } = started;
      const authorities = await readFile(certificates.caFile, "utf8");
      const server = { host: "localhost", port, ...administrator, authorities };
      signal.throwIfAborted();
      await applySchema(server, files);
      return await readLiveTables(server, files.database);
    } finally {
      await started.stop();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
