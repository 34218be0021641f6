import { CommandError } from "../../cli/commandError";
import type { Outputs } from "../../cli/localOutputs";
import { startWebServer } from "../../cli/page/server";
import { isFree } from "../../cli/ports";
import { evaluate } from "../../host/program";
import { project } from "../../host/stackConfig";
import { parseConfig } from "../../infra/config";
import type { DataFolder } from "../lib/dataFolder";
import type { ConsoleReporter, ReportedSystem } from "./consoleReporter";
import { type LocalServices, startServices } from "./startServices";
import { rowOf } from "./usersTable";

/** What a start is told. */
export interface SystemOptions {
  readonly folder: DataFolder;
  readonly stack: string;
  /** The stack's configuration, as Pulumi hands it to the program. */
  readonly values: Readonly<Record<string, string>>;
  /** Hears of every resource that was made, and of facts that a service reports. */
  readonly reporter: Pick<ConsoleReporter, "made" | "info" | "failed">;
}

/** The running local system. */
export interface System extends ReportedSystem {
  close(): Promise<void>;
}

/**
 * Starts every local service, evaluates the program against them, and answers where everything is.
 *
 * @throws CommandError and others after everything that had started was ended again
 */
export async function startSystem({ folder, stack, values, reporter }: SystemOptions): Promise<System> {
  // The program checks it too, but only when every service runs.
  parseConfig(values, project, stack);
  await keepPagePort(folder, values["ecommerce:callbackUrls"]);
  const services = await startServices(folder, values["aws:region"], reporter);
  try {
    const { outputs } = await evaluate({
      stack,
      values,
      environment: services.environment,
      make: async (resource) => {
        const begun = performance.now();
        const made = await services.make(resource);
        reporter.made(resource, made, performance.now() - begun);
        return made;
      },
    });
    const { notSimulated } = services;
    const finished = await services.finish(outputs);
    const page = finished.webUrl === undefined ? undefined : await startPage(finished.webUrl, finished, services);
    const close = async () => {
      await page?.close();
      await services.close();
    };
    return { outputs: finished, notSimulated, close };
  } catch (error) {
    await services.close();
    throw error;
  }
}

/**
 * Which port the page is served on is the configuration's, since managed login sends people back there: no other service
 * may choose it, all of which start before the page.
 *
 * @throws CommandError where it is taken on an address at which a browser looks for `localhost`
 */
async function keepPagePort(folder: DataFolder, callbackUrls = "[]"): Promise<void> {
  const url = /http:\/\/localhost[^"]*/.exec(callbackUrls)?.[0];
  if (url === undefined) return;
  folder.leaveFree(portOf(url));
  for (const address of ["127.0.0.1", "::1"] as const) {
    if (await isFree(portOf(url), address)) continue;
    throw new CommandError(
      `Port ${portOf(url)} on ${address}, where the page is served because callbackUrls has ${url}, is taken by another ` +
        "program. End that program, or give other URLs: npm start -- --set callbackUrls=http://localhost:3001/ " +
        "--set signOutUrls=http://localhost:3001/",
    );
  }
}

const portOf = (url: string) => Number(new URL(url).port || 80);

/** The page of `web/`, with one's own row for whoever brings an access token. */
function startPage(webUrl: string, outputs: Outputs, services: LocalServices) {
  return startWebServer({
    port: portOf(webUrl),
    settings: () => ({ ...outputs, webUrl }),
    me: (accessToken) => rowOf(services.subOf(accessToken), outputs),
  });
}
