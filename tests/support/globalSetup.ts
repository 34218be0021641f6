/**
 * Starts one MySQL server for the whole run, before the first test file. Without MySQL the run fails; nothing is
 * skipped.
 */
import type { TestProject } from "vitest/node";
import "./ports";
import { createTemplate, startTestServer } from "./mysql";

/** Vitest calls the setup once for each of its projects; they share the server. */
const shared = globalThis as { testServer?: ReturnType<typeof start> };

async function start(say: (line: string) => void) {
  const removeTemplate = await createTemplate(say);
  const server = await startTestServer({ say });
  say(`Tests use ${server.description}`);
  const end = async () => {
    await server.dispose();
    await removeTemplate();
  };
  return { server, end };
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  shared.testServer ??= start((line) => console.log(line));
  const { server, end } = await shared.testServer;
  const { host, port, user, password, caFile } = server;
  project.provide("mysql", { host, port, user, password, caFile });
  return end;
}
