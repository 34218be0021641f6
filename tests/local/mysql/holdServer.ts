/** Started by guard.test.ts, which kills it: starts a server, prints its process id and folder, and waits. */
import path from "node:path";
import { startTestServer } from "../../support/mysql";

startTestServer().then((server) => {
  console.log(JSON.stringify({ pid: server.pid, directory: path.dirname(path.dirname(server.caFile)) }));
  setInterval(() => {}, 1_000);
});
