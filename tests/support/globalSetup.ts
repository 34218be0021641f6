/**
 * Starts one MySQL server for the whole run, before the first test file. Without MySQL the run fails; nothing is
 * skipped.
 */
import type { TestProject } from "vitest/node";
import "./ports";
import { startTestServer } from "./mysql";

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const say = (line: string) => console.log(line);
  const server = await startTestServer({ say });
  say(`Tests use ${server.description}`);
  const { host, port, user, password, caFile } = server;
  project.provide("mysql", { host, port, user, password, caFile });
  return () => server.dispose();
}
