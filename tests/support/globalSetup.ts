/**
 * Starts one MySQL server for the whole run, before the first test file. Without MySQL the run fails; nothing is
 * skipped.
 */
import type { TestProject } from "vitest/node";
import "./ports";
import { startTestServer, type TestServer } from "./mysql";

/** Vitest calls the setup once for each of its projects; they share the server. */
const shared = globalThis as { testServer?: Promise<TestServer> };

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const say = (line: string) => console.log(line);
  shared.testServer ??= startTestServer({ say }).then((server) => {
    say(`Tests use ${server.description}`);
    return server;
  });
  const { host, port, user, password, caFile, dispose } = await shared.testServer;
  project.provide("mysql", { host, port, user, password, caFile });
  return () => dispose();
}
