/** Errors that the driver reports on an idle connection. */
import type { ConnectionOptions, Connection as Driver } from "mysql2";
import { afterEach, expect, inject, it, vi } from "vitest";
import { createConnect } from "../../functions/shared/connection";
import { Wire } from "../faults/support/Wire";

/** The driver's own connections, oldest first. */
const drivers = vi.hoisted(() => [] as Driver[]);
vi.mock("mysql2", async (original) => {
  const mysql2 = await original<typeof import("mysql2")>();
  const createConnection = (options: ConnectionOptions) => {
    const driver = mysql2.createConnection(options);
    drivers.push(driver);
    return driver;
  };
  return { ...mysql2, createConnection };
});

const server = inject("mysql");
let wire: Wire | undefined;
afterEach(() => wire?.cut());

/** Opens a connection over its own wire and runs a statement, so that the connection is idle afterwards. */
async function idleConnection() {
  wire = await Wire.to(server.port);
  const { host, user: username, password, caFile } = server;
  const secret = { username, password, engine: "mysql", host, port: wire.port, dbClusterIdentifier: "" };
  const connection = await createConnect({ NODE_EXTRA_CA_CERTS: caFile })(secret, 5000);
  await connection.execute("SELECT 1", [], () => 5000);
  const driver = drivers.at(-1)!;
  // A spy, because a listener of the test would handle errors for which the function has no listener any more.
  const emit = vi.spyOn(driver, "emit");
  const errors = () =>
    emit.mock.calls.flatMap(([name, error]) => (name === "error" ? [error.code ?? error.message] : []));
  return { wire, connection, driver, errors };
}

it("an idle connection that reports two errors is given up, and the process goes on", async () => {
  const { wire, connection, driver, errors } = await idleConnection();
  wire.reset();
  await expect.poll(() => connection.usable).toBe(false);
  // The driver reports this error after a write to a connection that had a fatal error.
  (driver as unknown as { write(data: Buffer): void }).write(Buffer.alloc(1));
  expect(errors()).toEqual(["ECONNRESET", "Can't write in closed state"]);
  expect(connection.usable).toBe(false);
});
