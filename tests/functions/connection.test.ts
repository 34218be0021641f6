/** A connection that nobody is using, as the driver reports on it. */
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

/** Opens a connection over a wire of its own, with its settings made, so that the driver has nothing to do. */
async function idleConnection() {
  wire = await Wire.to(server.port);
  const { host, user: username, password, caFile } = server;
  const secret = { username, password, engine: "mysql", host, port: wire.port, dbClusterIdentifier: "" };
  const connection = await createConnect({ NODE_EXTRA_CA_CERTS: caFile })(secret, 5000);
  await connection.execute("SELECT 1", [], () => 5000);
  const driver = drivers.at(-1)!;
  // Not a listener of the test's own, which would be one for what the function no longer listens to.
  const emit = vi.spyOn(driver, "emit");
  const errors = () =>
    emit.mock.calls.flatMap(([name, error]) => (name === "error" ? [error.code ?? error.message] : []));
  return { wire, connection, driver, errors };
}

it("that reports two errors while idle, is given up, and the process goes on", async () => {
  const { wire, connection, driver, errors } = await idleConnection();
  wire.reset();
  await expect.poll(() => connection.usable).toBe(false);
  // What the driver reports to whoever writes to a connection that had a fatal error.
  (driver as unknown as { write(data: Buffer): void }).write(Buffer.alloc(1));
  expect(errors()).toEqual(["ECONNRESET", "Can't write in closed state"]);
  expect(connection.usable).toBe(false);
});
