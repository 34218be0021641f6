import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { digest } from "../config";
import {
  binaryMediaTypes,
  corsHeaders,
  defaultErrors,
  imageMethods,
  objectPath,
  optionsMethod,
  pathParameters,
  type UploadRules,
  uploadPath,
} from "./apiMappings";

export interface ImageApiArgs {
  region: string;
  /** Name of the API; CloudWatch identifies APIs by it. @default ecommerce-api-for-s3 */
  apiName?: string;
  /** Stage that the API is deployed to. Replaces the stage. */
  stageName: string;
  /** Origin that browsers may call from; `*` allows every origin. @default * */
  corsOrigin?: string;
  /** Name of the bucket of product images. */
  bucketName: string;
  /** ARN of the user pool whose access tokens the API accepts. */
  userPoolArn: pulumi.Input<string>;
  /** ARN of the role that API Gateway assumes to call S3. */
  roleArn: pulumi.Input<string>;
  /** Scope that an access token needs for an upload. @default openid */
  writeScope?: string;
  /** Restrictions of uploads. @default any key, and an upload replaces an existing object */
  uploads?: UploadRules;
  /** Log the stage's errors. @default none: API Gateway needs the account's role for logs */
  errorLogs?: {
    /** The account's setting with the role for logs, which must exist before. */
    account: aws.apigateway.Account;
    /** Days that the logs are kept. */
    retentionDays: number;
  };
}

/** The documented scope of both methods. */
const readScope = "openid";

/**
 * The regional REST API `ecommerce-api-for-s3` (S9), "to get and request objects from and to S3": PUT and GET on
 * `/{bucket_name}/{file_name}` go straight to S3 with the role of S8, for people whose access token has the scope
 * `openid`. Browsers may call it: CORS on both resources and on every error.
 */
export class ImageApi extends pulumi.ComponentResource {
  /** Address of the API, with the stage. */
  readonly url: pulumi.Output<string>;
  readonly #name: string;
  readonly #args: Required<Omit<ImageApiArgs, "errorLogs">>;
  readonly #api: aws.apigateway.RestApi;
  /**
   * What a deployment contains: the resources to wait for, and their arguments, a change of which needs a deployment.
   */
  readonly #deployed: { resources: pulumi.Resource[]; args: unknown[] } = { resources: [], args: [] };

  constructor(name: string, args: ImageApiArgs, opts?: pulumi.ComponentResourceOptions) {
    super("ecommerce:images:ImageApi", name, {}, opts);
    this.#name = name;
    this.#args = {
      ...args,
      apiName: args.apiName ?? "ecommerce-api-for-s3",
      corsOrigin: args.corsOrigin ?? "*",
      writeScope: args.writeScope ?? readScope,
      uploads: args.uploads ?? { ownPrefix: false, overwrite: true },
    };

    const apiArgs = {
      name: this.#args.apiName,
      description: "to get and request objects from and to S3",
      endpointConfiguration: { types: "REGIONAL" },
      binaryMediaTypes,
    };
    this.#api = this.#add(apiArgs, () => new aws.apigateway.RestApi(name, apiArgs, { parent: this }));
    const authorizer = this.#authorizer();
    const bucket = this.#resource("bucket", "{bucket_name}", this.#api.rootResourceId);
    const file = this.#resource("file", "{file_name}", bucket.id);
    this.#options("bucket", bucket.id, ["OPTIONS"]);
    this.#options("file", file.id, ["GET", "PUT", "OPTIONS"]);
    this.#images("PUT", file.id, authorizer.id);
    this.#images("GET", file.id, authorizer.id);
    this.#errorsWithCors();

    const stage = this.#stage();
    if (args.errorLogs) this.#logErrors(stage, args.errorLogs);
    this.url = stage.invokeUrl;
    this.registerOutputs({ url: this.url });
  }

  /** Registers a resource, which the deployment then contains. */
  #add<R extends pulumi.Resource>(args: unknown, make: () => R): R {
    const resource = make();
    this.#deployed.resources.push(resource);
    this.#deployed.args.push(args);
    return resource;
  }

  #authorizer() {
    const args = {
      restApi: this.#api.id,
      name: "ecommer-authorizer",
      type: "COGNITO_USER_POOLS",
      providerArns: [this.#args.userPoolArn],
      identitySource: "method.request.header.Authorization",
    };
    return this.#add(args, () => new aws.apigateway.Authorizer(`${this.#name}-authorizer`, args, { parent: this }));
  }

  #resource(label: string, pathPart: string, parentId: pulumi.Input<string>) {
    const args = { restApi: this.#api.id, parentId, pathPart };
    return this.#add(args, () => new aws.apigateway.Resource(`${this.#name}-${label}`, args, { parent: this }));
  }

  /** PUT or GET of an object, as an AWS-service integration with S3. */
  #images(httpMethod: "PUT" | "GET", resourceId: pulumi.Input<string>, authorizerId: pulumi.Input<string>) {
    const route = imageMethods[httpMethod];
    const name = `${this.#name}-${httpMethod.toLowerCase()}`;
    const object = httpMethod === "PUT" ? uploadPath(this.#args.uploads, this.#args.bucketName) : objectPath;
    const at = { restApi: this.#api.id, resourceId, httpMethod };

    const methodArgs = {
      ...at,
      authorization: "COGNITO_USER_POOLS",
      authorizerId,
      authorizationScopes: [httpMethod === "PUT" ? this.#args.writeScope : readScope],
      apiKeyRequired: false,
      requestParameters: route.methodParameters,
    };
    const method = this.#add(
      methodArgs,
      () => new aws.apigateway.Method(`${name}-method`, methodArgs, { parent: this }),
    );
    const integrationArgs = {
      ...at,
      type: "AWS",
      integrationHttpMethod: httpMethod,
      uri: `arn:aws:apigateway:${this.#args.region}:s3:path/${object.path}`,
      credentials: this.#args.roleArn,
      requestParameters: { ...object.parameters, ...route.integrationParameters },
      cacheKeyParameters: [],
      passthroughBehavior: "WHEN_NO_MATCH",
      timeoutMilliseconds: 29_000,
    };
    const integration = this.#add(
      integrationArgs,
      () => new aws.apigateway.Integration(`${name}-s3`, integrationArgs, { parent: this, dependsOn: method }),
    );

    const cors = corsHeaders(this.#args.corsOrigin);
    for (const { status, headers } of route.responses) {
      this.#response(`${name}-${status}`, { ...at, statusCode: status }, [method, integration], {
        selectionPattern: status,
        responseParameters: { ...cors, ...headers },
        // Returns S3's bytes unchanged, whatever `Accept` the client sends, and also if it sends none.
        contentHandling: "CONVERT_TO_BINARY",
      });
    }
  }

  /** The browser's preflight request, which the gateway answers itself. */
  #options(label: string, resourceId: pulumi.Input<string>, methods: readonly string[]) {
    const name = `${this.#name}-${label}-options`;
    const at = { restApi: this.#api.id, resourceId, httpMethod: "OPTIONS" };
    const methodArgs = {
      ...at,
      authorization: "NONE",
      apiKeyRequired: false,
      requestParameters: pathParameters(label),
    };
    const method = this.#add(
      methodArgs,
      () => new aws.apigateway.Method(`${name}-method`, methodArgs, { parent: this }),
    );
    const integrationArgs = {
      ...at,
      type: "MOCK",
      requestTemplates: { "application/json": '{"statusCode": 200}' },
      // Every request is binary (`binaryMediaTypes`), and a template needs text. Without this: 500, "Unable to
      // transform request".
      // https://github.com/aws/serverless-application-model/issues/553
      contentHandling: "CONVERT_TO_TEXT",
    };
    const integration = this.#add(
      integrationArgs,
      () => new aws.apigateway.Integration(`${name}-mock`, integrationArgs, { parent: this, dependsOn: method }),
    );
    this.#response(`${name}-200`, { ...at, statusCode: "200" }, [method, integration], {
      responseParameters: optionsMethod(methods, this.#args.corsOrigin),
    });
  }

  /** A method response and, after it, the integration response that fills it. */
  #response(
    name: string,
    at: { restApi: pulumi.Input<string>; resourceId: pulumi.Input<string>; httpMethod: string; statusCode: string },
    after: pulumi.Resource[],
    more: Partial<aws.apigateway.IntegrationResponseArgs> & { responseParameters: Record<string, string> },
  ) {
    const declared = Object.fromEntries(Object.keys(more.responseParameters).map((header) => [header, true]));
    const responseArgs = { ...at, responseParameters: declared };
    const response = this.#add(
      responseArgs,
      () => new aws.apigateway.MethodResponse(name, responseArgs, { parent: this, dependsOn: after }),
    );
    const integrationArgs = { ...at, ...more };
    this.#add(
      integrationArgs,
      () => new aws.apigateway.IntegrationResponse(name, integrationArgs, { parent: this, dependsOn: response }),
    );
  }

  /**
   * CORS headers for the gateway's own errors (no token, no such path), so that a browser can read them. A browser cannot
   * read the 413 for a body of more than 10 MB, which API Gateway does not let anybody customize: the page checks first.
   */
  #errorsWithCors() {
    for (const responseType of defaultErrors.types) {
      const args = { restApiId: this.#api.id, responseType, ...defaultErrors.content(this.#args.corsOrigin) };
      this.#add(
        args,
        () => new aws.apigateway.Response(`${this.#name}-${responseType.toLowerCase()}`, args, { parent: this }),
      );
    }
  }

  /** API Gateway serves the last deployment, not the current definition: any change must make a new deployment. */
  #stage() {
    const definition = pulumi.output(this.#deployed.args).apply((args) => digest(JSON.stringify(args)));
    const deployment = new aws.apigateway.Deployment(
      `${this.#name}-deployment`,
      { restApi: this.#api.id, triggers: { definition } },
      { parent: this, dependsOn: this.#deployed.resources },
    );
    return new aws.apigateway.Stage(
      `${this.#name}-stage`,
      { restApi: this.#api.id, deployment: deployment.id, stageName: this.#args.stageName },
      { parent: this },
    );
  }

  /**
   * Without this setting of the stage, API Gateway logs nothing, whatever role the account has. It would create the log
   * group itself, and keep the logs for ever.
   * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html
   */
  #logErrors(stage: aws.apigateway.Stage, { account, retentionDays }: NonNullable<ImageApiArgs["errorLogs"]>) {
    const logs = new aws.cloudwatch.LogGroup(
      `${this.#name}-logs`,
      {
        name: pulumi.interpolate`API-Gateway-Execution-Logs_${this.#api.id}/${stage.stageName}`,
        retentionInDays: retentionDays,
      },
      { parent: this },
    );
    new aws.apigateway.MethodSettings(
      `${this.#name}-logging`,
      {
        restApi: this.#api.id,
        stageName: stage.stageName,
        methodPath: "*/*",
        // Only errors, and without bodies and headers, which would hold tokens.
        settings: { loggingLevel: "ERROR", dataTraceEnabled: false },
      },
      { parent: this, dependsOn: [account, logs] },
    );
  }
}
