import { isContextVariable, type Values, valueFor } from "./mapping";
import type { GatewayResponse } from "./model";

interface Default {
  readonly status: number;
  readonly message: string | null;
  /** The value of `x-amzn-ErrorType`. */
  readonly error: string;
}

const internal = { message: "Internal server error", error: "InternalServerErrorException" };

/**
 * The gateway responses that can occur here, with API Gateway's defaults for an API that does not configure them.
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
 */
const defaults = {
  API_CONFIGURATION_ERROR: { status: 500, ...internal },
  AUTHORIZER_CONFIGURATION_ERROR: { status: 500, message: null, error: "AuthorizerConfigurationException" },
  BAD_REQUEST_PARAMETERS: { status: 400, message: "Bad Request", error: "BadRequestException" },
  INTEGRATION_FAILURE: { status: 504, ...internal },
  INTEGRATION_TIMEOUT: { status: 504, message: "Endpoint request timed out", error: "InternalServerErrorException" },
  MISSING_AUTHENTICATION_TOKEN: {
    status: 403,
    message: "Missing Authentication Token",
    error: "MissingAuthenticationTokenException",
  },
  REQUEST_TOO_LARGE: { status: 413, message: "Request Too Long", error: "RequestTooLongException" },
  UNAUTHORIZED: { status: 401, message: "Unauthorized", error: "UnauthorizedException" },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, message: "Unsupported Media Type", error: "UnsupportedMediaTypeException" },
} satisfies Record<string, Default>;

export type GatewayErrorType = keyof typeof defaults;

/** All types that a program may configure, including those that cannot occur on this machine. */
export const responseTypes = [
  ...Object.keys(defaults),
  ...["ACCESS_DENIED", "AUTHORIZER_FAILURE", "BAD_REQUEST_BODY", "DEFAULT_4XX", "DEFAULT_5XX", "EXPIRED_TOKEN"],
  ...["INVALID_API_KEY", "INVALID_SIGNATURE", "QUOTA_EXCEEDED", "RESOURCE_NOT_FOUND", "THROTTLED", "WAF_FILTERED"],
];

/** An error that API Gateway itself answers. */
export class GatewayError extends Error {
  override readonly name = "GatewayError";

  /**
   * @param text the message for the client, @default the type's own message
   * @param reason for the developer at this machine; the client never sees it
   */
  constructor(
    readonly type: GatewayErrorType,
    readonly text: string | null = defaults[type].message,
    readonly reason?: string,
  ) {
    super(reason ?? text ?? type);
  }
}

/** Context variables that only the template of a gateway response has. */
const errorVariables = ["error.message", "error.messageString", "error.responseType"];

/** The first variable of a template that this machine cannot fill in, or `#` for a directive. */
export function unknownInTemplate(template: string): string | undefined {
  if (/(^|\s)#[a-z]/.test(template)) return "#";
  const variables = [...template.matchAll(/\$(\w[\w.]*)?/g)].map((match) => match[1] ?? "");
  return variables.find((name) => {
    const inContext = name.startsWith("context.") ? name.slice("context.".length) : "";
    return !errorVariables.includes(inContext) && !isContextVariable(inContext);
  });
}

/**
 * The answer to an error: the API's response for its type, else the one for all 4XX or 5XX, else the default. API
 * Gateway does not support customizing REQUEST_TOO_LARGE (developer guide, "Gateway responses"; seen in
 * https://zenn.dev/august/articles/67c76de854cb6d), so this answer has no CORS header either.
 */
export function gatewayErrorAnswer(
  gatewayError: GatewayError,
  configured: Readonly<Record<string, GatewayResponse>>,
  values: Values,
): { status: number; headers: Record<string, string>; body: Buffer } {
  const { status, error } = defaults[gatewayError.type];
  const isFixed = gatewayError.type === "REQUEST_TOO_LARGE";
  const general = isFixed ? undefined : configured[status < 500 ? "DEFAULT_4XX" : "DEFAULT_5XX"];
  const own = isFixed ? undefined : configured[gatewayError.type];
  const response = own ?? general;
  const [type = "application/json", template = '{"message":$context.error.messageString}'] =
    Object.entries(response?.responseTemplates ?? {})[0] ?? [];
  const parameters = Object.entries(response?.responseParameters ?? {}).flatMap(([target, expression]) => {
    const value = valueFor(expression, values);
    const safe = value !== undefined && /^[\t\x20-\x7e\x80-\xff]*$/.test(value);
    return safe ? [[target.replace("gatewayresponse.header.", "").toLowerCase(), value]] : [];
  });
  const context: Record<string, string> = {
    ...values.context,
    "error.message": gatewayError.text ?? "",
    "error.messageString": JSON.stringify(gatewayError.text),
    "error.responseType": gatewayError.type,
  };
  const text = template.replace(/\$context\.(\w[\w.]*\w)/g, (_, name: string) => context[name] ?? "");
  return {
    status: own?.statusCode ?? general?.statusCode ?? status,
    headers: { "x-amzn-errortype": error, "content-type": type, ...Object.fromEntries(parameters) },
    body: Buffer.from(text),
  };
}
