/**
 * Mapping expressions: where a parameter of an integration, a response or a gateway response takes its value from.
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/request-response-data-mappings.html
 */

/** A parsed expression. */
export type Source =
  | { readonly from: "static"; readonly value: string }
  | { readonly from: "path" | "querystring" | "header" | "response" | "context"; readonly name: string };

/** The values that expressions refer to; header names in lower case. */
export interface Values {
  readonly path: Readonly<Record<string, string>>;
  readonly querystring: Readonly<Record<string, string>>;
  readonly header: Readonly<Record<string, string>>;
  readonly context: Readonly<Record<string, string>>;
  /** Headers of the integration's response; absent before it has answered. */
  readonly response?: Readonly<Record<string, string>>;
}

/** The context variables that this machine fills in, in addition to `authorizer.claims.…`. */
const contextVariables = [
  "apiId",
  "httpMethod",
  "identity.sourceIp",
  "identity.userAgent",
  "path",
  "requestId",
  "resourcePath",
  "stage",
] as const;

const request = /^method\.request\.(path|querystring|header)\.([A-Za-z0-9._$:!#%&'*+^`|~-]+)$/;
const response = /^integration\.response\.header\.([A-Za-z0-9._$:!#%&'*+^`|~-]+)$/;

/** Reads an expression; undefined for one that is not evaluated on this machine. */
export function parseSource(expression: string): Source | undefined {
  if (/^'[^']*'$/.test(expression)) return { from: "static", value: expression.slice(1, -1) };
  const [, place, name] = request.exec(expression) ?? [];
  if (place !== undefined && name !== undefined) {
    return { from: place as "path" | "querystring" | "header", name: place === "header" ? name.toLowerCase() : name };
  }
  const header = response.exec(expression)?.[1];
  if (header !== undefined) return { from: "response", name: header.toLowerCase() };
  const variable = /^context\.(.+)$/.exec(expression)?.[1];
  if (variable !== undefined && isContextVariable(variable)) return { from: "context", name: variable };
  return undefined;
}

export function isContextVariable(name: string): boolean {
  return contextVariables.some((one) => one === name) || /^authorizer\.claims\.[\w:.-]+$/.test(name);
}

/** The value of an expression; undefined if the request or response does not have it. */
export function valueFor(expression: string, values: Values): string | undefined {
  const source = parseSource(expression);
  if (!source) return undefined;
  if (source.from === "static") return source.value;
  const place = values[source.from];
  return place !== undefined && Object.hasOwn(place, source.name) ? place[source.name] : undefined;
}

/** Whether an expression can be evaluated here and takes its value from one of these places. */
export function isExpression(expression: string, ...places: Source["from"][]): boolean {
  const source = parseSource(expression);
  return source !== undefined && places.includes(source.from);
}
