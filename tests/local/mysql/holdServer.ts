/** Started by guard.test.ts, which kills it: starts a server, tells where, and does nothing more. */
import path from "node:path";
import { startTestServer } from "../../support/mysql";

startTestServer().then((server) => {
  console.log(JSON.stringify({ pid: server.pid, directory: path.dirname(path.dirname(server.caFile)) }));
  setInterval(() => {}, 1_000);
});
