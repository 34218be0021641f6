import type { Server } from "node:http";
import { listen, stop, type TimeLimits } from "../../../cli/http";
import type { CreateHandler } from "../../../host/resources";
import type { LocalService, ServiceContext } from "../../lib/service";
import type { Cognito } from "../cognito/cognito";
import { AuthorizationCodes } from "./authorizationCodes";
import { BrowserSessions } from "./browserSessions";
import { refusal, serve } from "./routes";
import { SubmittedForms } from "./submittedForms";

/**
 * Cognito's managed login on 127.0.0.1: the pages on which people sign up, confirm, sign in and reset a password, and
 * the OAuth endpoints behind them, for exactly what the deployed pools, clients, domains and brandings allow.
 */
export class ManagedLogin implements LocalService {
  /** Domains and brandings are resources of Cognito's service; this one has no handlers. */
  readonly handlers: Readonly<Record<string, CreateHandler>> = {};
  /** For example `http://127.0.0.1:24001`, instead of `https://PREFIX.auth.REGION.amazoncognito.com`. */
  readonly url: string;
  #server: Server | undefined;

  private constructor(port: number) {
    this.url = `http://127.0.0.1:${port}`;
  }

  /**
   * Starts the pages on port `login`, and names them in the pools' discovery documents.
   * @param limits how long browsers may take. @default the limits of `cli/http.ts`
   * @throws CommandError where the port is taken.
   */
  static async start(context: ServiceContext, cognito: Cognito, limits?: TimeLimits): Promise<ManagedLogin> {
    const port = await context.port("login");
    const login = new ManagedLogin(port);
    const { state, mailboxUrl } = cognito;
    const { now } = state;
    const shared = {
      cognito: state,
      sessions: new BrowserSessions(now),
      codes: new AuthorizationCodes(now),
      forms: new SubmittedForms(now),
      mailboxUrl,
    };
    const options = { port, use: "login", limits, refusal };
    login.#server = await listen(options, (request, response) => serve(shared, login.url, request, response));
    cognito.loginUrl = login.url;
    return login;
  }

  /** The same page here as `https://PREFIX.auth.REGION.amazoncognito.com/…` on AWS; other URLs stay as they are. */
  localUrl(url: string): string {
    return url.replace(/^https:\/\/[a-z0-9-]+\.auth\.[a-z0-9-]+\.amazoncognito\.com(?=\/|$)/, this.url);
  }

  async close(): Promise<void> {
    await stop(this.#server);
  }
}
