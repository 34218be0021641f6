/**
 * MySQL blocks an address after many broken handshakes, which happen while the server stalls. It never blocks
 * 127.0.0.1, and blocks no address if name resolution is off. So this server listens on 127.0.0.2, resolves names, as
 * MySQL does by default, and the connections come from 127.0.0.3. See docs/faults.md.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { createConnection } from "mysql2/promise";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createConnect } from "../../functions/shared/connection";
import { parseSecret } from "../../functions/shared/secret";
import { secretFor } from "../functions/support";
import { recordProgram } from "../support/program";
import { type Container, Deployment } from "./support/Deployment";

/** More than MySQL's default for `max_connect_errors` (100), and fewer than the connections that may wait (151). */
const BROKEN_HANDSHAKES = 110;

/** On Linux all of 127.0.0.0/8 is this machine; on other systems these addresses must be set up first. */
describe.skipIf(process.platform !== "linux")("a stall under many containers of one address (on Linux)", () => {
  let deployment: Deployment;
  let container: Container;

  beforeAll(async () => {
    const server = { addresses: ["127.0.0.1", "127.0.0.2"], resolveNames: true };
    deployment = await Deployment.start(server, { host: "127.0.0.2", localAddress: "127.0.0.3" });
    container = await deployment.deploy({ warm: true });
    await deployment.database.query("CREATE USER rds_master@'%' IDENTIFIED BY 'rds_master'");
    // Those global privileges of RDS's master user that matter here.
    await deployment.database.query("GRANT DROP, RELOAD, PROCESS ON *.* TO rds_master@'%'");
  });
  afterAll(() => deployment?.stop());

  /** The server stops while `BROKEN_HANDSHAKES` connections are opened from the containers' address and time out. */
  async function stall(): Promise<void> {
    const { database } = deployment;
    const connect = createConnect({ NODE_EXTRA_CA_CERTS: database.server.caFile });
    const secret = parseSecret(secretFor({ host: "localhost", port: container.mysql.port }));
    database.server.kill("SIGSTOP");
    try {
      const tried = await Promise.allSettled(Array.from({ length: BROKEN_HANDSHAKES }, () => connect(secret, 1000)));
      expect(new Set(tried.map(({ status }) => status))).toEqual(new Set(["rejected"]));
    } finally {
      database.server.kill("SIGCONT");
    }
    // The server counts a connection when it reads from it.
    await expect.poll(brokenHandshakes, { timeout: 20_000 }).toBeGreaterThanOrEqual(100);
    // The container still has its own connection; the reset makes it open a new one.
    container.mysql.reset();
  }

  /** How many broken handshakes the server counts for the containers' address. */
  async function brokenHandshakes(): Promise<number> {
    const counted = "SELECT SUM_CONNECT_ERRORS AS n FROM performance_schema.host_cache WHERE IP = '127.0.0.3'";
    return Number((await deployment.database.query(counted))[0]?.n ?? 0);
  }

  /** The statement of the runbook, by a user with the privileges of RDS's master user. */
  async function unblock(): Promise<void> {
    const { host, port } = deployment.database.server;
    const master = await createConnection({
      host,
      port,
      user: "rds_master",
      password: "rds_master",
      ssl: { rejectUnauthorized: false },
    });
    await master.query("TRUNCATE TABLE performance_schema.host_cache");
    await master.end();
  }

  it("locks them out with MySQL's defaults, until the host cache is emptied", async () => {
    await stall();
    const served = await container.refused(await container.signUp(), "DatabaseUnavailable", "DATABASE_UNAVAILABLE");
    expect(await container.lastCause()).toBe("ER_HOST_IS_BLOCKED");
    await container.signInPasses();
    await unblock();
    await container.works();
    await container.repairedBySignIn(served);
  });

  it("costs no sign-up that is waiting when the host cache is emptied: it succeeds", async () => {
    await stall();
    const served = container.signUp();
    await sleep(500);
    await unblock();
    await container.registered(await served);
  });

  it.each([
    ["instance", "aws:rds/parameterGroup:ParameterGroup"],
    ["aurora", "aws:rds/clusterParameterGroup:ClusterParameterGroup"],
  ])("locks none out with the parameters that the program gives a database of kind %s", async (kind, type) => {
    const program = await recordProgram({ "ecommerce:database.kind": kind });
    for (const { name, value } of program.one(type).inputs.parameters as { name: string; value: string }[]) {
      await deployment.database.query(`SET GLOBAL ${name} = ${value}`);
    }
    try {
      await stall();
      await container.works();
    } finally {
      await deployment.database.query("SET GLOBAL max_connect_errors = DEFAULT");
    }
  });
});
