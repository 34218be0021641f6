/**
 * A registered REST API: plain data, so that a deployment can copy it and store it on disk.
 * Names follow the API Gateway API.
 */

/** How payloads are converted; if undefined, the media types decide. */
export type ContentHandling = "CONVERT_TO_BINARY" | "CONVERT_TO_TEXT" | undefined;

export interface Api {
  readonly id: string;
  readonly name: string;
  readonly rootResourceId: string;
  readonly binaryMediaTypes: readonly string[];
  /** By identifier. */
  readonly resources: Record<string, ApiResource>;
  readonly authorizers: Record<string, Authorizer>;
  readonly validators: Record<string, { readonly parameters: boolean }>;
  /** By response type, for example `UNAUTHORIZED` or `DEFAULT_4XX`. */
  readonly gatewayResponses: Record<string, GatewayResponse>;
}

export interface ApiResource {
  readonly id: string;
  readonly parentId?: string;
  /** `images`, `{bucket_name}` or `{proxy+}`; empty for the root. */
  readonly pathPart: string;
  /** `/{bucket_name}/{file_name}` */
  readonly path: string;
  /** By HTTP method, including `ANY`. */
  readonly methods: Record<string, Method>;
}

export interface Method {
  /** The authorizer's identifier; absent if anybody may call. */
  readonly authorizerId?: string;
  readonly authorizationScopes: readonly string[];
  /** `method.request.path.file_name` → whether it is required. */
  readonly requestParameters: Readonly<Record<string, boolean>>;
  readonly requestValidatorId?: string;
  /** By status; the values are the declared `method.response.header.…`. */
  readonly responses: Record<string, readonly string[]>;
  integration?: Integration;
}

export interface Integration {
  readonly target: MockTarget | S3Target;
  /** `integration.request.path.key` → `method.request.path.file_name` */
  readonly requestParameters: Readonly<Record<string, string>>;
  /** By media type. */
  readonly requestTemplates: Readonly<Record<string, string>>;
  readonly passthroughBehavior: "WHEN_NO_MATCH" | "WHEN_NO_TEMPLATES" | "NEVER";
  readonly contentHandling?: ContentHandling;
  /** Milliseconds. */
  readonly timeout: number;
  /** By the status that the client gets. */
  readonly responses: Record<string, IntegrationResponse>;
}

export interface MockTarget {
  readonly type: "MOCK";
}

/** `arn:aws:apigateway:{region}:s3:path/{path}`, called with a method as a role. */
export interface S3Target {
  readonly type: "S3";
  readonly method: "GET" | "HEAD" | "PUT";
  /** The path override, for example `{bucket}/{key}`: once it is filled in, its first segment is the bucket. */
  readonly path: string;
  /** The role's ARN; without it the call is anonymous. */
  readonly credentials?: string;
}

export interface IntegrationResponse {
  /** Matches the integration's whole status; absent in the default response. */
  readonly selectionPattern?: string;
  readonly responseParameters: Readonly<Record<string, string>>;
  readonly responseTemplates: Readonly<Record<string, string>>;
  readonly contentHandling?: ContentHandling;
}

export interface Authorizer {
  readonly id: string;
  readonly name: string;
  /** The header that holds the token, in lower case. */
  readonly header: string;
  /** ARNs of user pools. */
  readonly providerArns: readonly string[];
}

export interface GatewayResponse {
  readonly statusCode?: number;
  readonly responseParameters: Readonly<Record<string, string>>;
  readonly responseTemplates: Readonly<Record<string, string>>;
}
