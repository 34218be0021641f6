/** Before the first test file: one MySQL server for the whole run. Without a MySQL the run fails; nothing is skipped. */
import type { TestProject } from "vitest/node";
import { startTestServer } from "./mysql";

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const say = (line: string) => console.log(line);
  // Before those of the workers (ports.ts).
  process.env.LOCAL_PORTS = "20000-20999";
  const server = await startTestServer({ say });
  say(`Tests use ${server.description}`);
  const { host, port, user, password, caFile } = server;
  project.provide("mysql", { host, port, user, password, caFile });
  return () => server.dispose();
}
