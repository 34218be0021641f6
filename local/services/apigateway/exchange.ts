import type { IncomingMessage } from "node:http";
import { type Answer, headersOf } from "../s3/serve";
import type { CognitoAuthorizers } from "./authorizers";
import type { Backends, Payload } from "./integrations";
import type { Values } from "./mapping";
import type { Api, Integration, Method } from "./model";
import type { Router } from "./routes";

/** The largest payload, in bytes, in both directions. */
export const payloadLimit = 10 * 1024 * 1024;

/** A deployment of a stage. */
export interface Served {
  readonly stage: string;
  readonly api: Api;
  readonly router: Router;
}

/** What a request needs besides the deployment. */
export interface Dependencies extends Backends {
  readonly authorizers: CognitoAuthorizers;
  /** Reports why a request failed because of the API's configuration. */
  report(line: string): void;
}

/** One request with what the steps of the pipeline have found out so far. */
export class Exchange {
  /** Method and path of the resource, for reports. */
  route = "unknown route";
  /** What mapping expressions can read. */
  values: Values;
  /** Set by `findMethod`. */
  method!: Method;
  integration!: Integration;
  /** Set by `convertRequest`: the template of the integration request; undefined if the payload passes through. */
  template: string | undefined;
  payload!: Payload;
  /** Set by `callIntegration`. */
  reply: Answer | undefined;
  /** Set by `makeResponse`. */
  answer: Answer | undefined;

  /** @param parts the path after the stage, split at slashes, still percent-encoded */
  constructor(
    readonly served: Served,
    readonly dependencies: Dependencies,
    readonly request: IncomingMessage,
    readonly parts: readonly string[],
    requestId: string,
  ) {
    this.values = {
      path: {},
      querystring: queryOf(request),
      header: headersOf(request),
      context: {
        apiId: served.api.id,
        httpMethod: request.method ?? "",
        "identity.sourceIp": request.socket.remoteAddress ?? "",
        "identity.userAgent": request.headers["user-agent"] ?? "",
        path: (request.url ?? "").split("?")[0]!,
        requestId,
        stage: served.stage,
      },
    };
  }

  get api(): Api {
    return this.served.api;
  }
}

/** If a name occurs more than once, its last value counts. */
function queryOf(request: IncomingMessage): Record<string, string> {
  const url = request.url ?? "";
  const mark = url.indexOf("?");
  return mark < 0 ? {} : Object.fromEntries(new URLSearchParams(url.slice(mark + 1)));
}
