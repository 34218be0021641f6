import type { TimeLimits } from "../../../../cli/http";
import { ApiGateway } from "../../../../local/services/apigateway/apiGateway";
import { Iam } from "../../../../local/services/iam/iam";
import { ObjectStore } from "../../../../local/services/s3/objectStore";
import type { S3 } from "../../../../local/services/s3/operations";
import { register, registerBucket, testContext } from "../s3/store";
import { testPool } from "./tokens";

type Inputs = Record<string, any>;

export const bucket = "ecommerce-app-test";
export const poolArn = "arn:aws:cognito-idp:us-east-1:123456789012:userpool/us-east-1_Test";

const allowed = { "Access-Control-Allow-Origin": "'*'" };
const prefixed = (prefix: string, values: Record<string, unknown>) =>
  Object.fromEntries(Object.entries(values).map(([key, value]) => [`${prefix}.header.${key}`, value]));

export interface Options {
  /** Called for each resource before its registration: returns changed inputs, or null to leave it out. */
  change?: (type: string, name: string, inputs: Inputs) => Inputs | null;
  context?: ReturnType<typeof testContext>;
  /** Wraps the object store. */
  s3?: (store: ObjectStore) => S3;
  triggers?: Record<string, string>;
  limits?: TimeLimits;
  /** Registers resources that methods refer to, in addition to the authorizer. */
  beforeMethods?: (make: Make, restApi: Inputs) => Promise<void>;
}

/** The rows S7, S8 and S9 of the documents, registered resource by resource as the program does. */
export async function startDocumented(options: Options = {}) {
  const context = options.context ?? testContext();
  const iam = new Iam(context);
  const store = new ObjectStore(context, iam);
  const users = testPool("https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Test");
  const needs = {
    s3: options.s3?.(store) ?? store,
    roles: iam,
    userPools: (arn: string) => (arn === poolArn ? users.pool : undefined),
  };
  const gateway = new ApiGateway(context, needs, options.limits);
  const close = async () => {
    await gateway.close();
    await store.close();
  };
  const make = async (type: string, name: string, inputs: Inputs): Promise<Inputs> => {
    const changed = options.change ? options.change(type, name, inputs) : inputs;
    if (changed === null) return { id: "left-out" };
    const service = type.startsWith("aws:apigateway") ? gateway : type.startsWith("aws:iam") ? iam : store;
    return register(service, type, name, changed);
  };
  try {
    await registerBucket(store, bucket);
    const role = await makeRole(make);
    const api = await makeApi(make, role.arn, options);
    const stage = api.stage;
    const bucketUrl = await store.bucketUrl(bucket);
    return { ...api, context, iam, store, gateway, users, url: stage.invokeUrl as string, bucketUrl, make, close };
  } catch (error) {
    await close();
    throw error;
  }
}

type Make = (type: string, name: string, inputs: Inputs) => Promise<Inputs>;

async function makeRole(make: Make): Promise<Inputs> {
  const role = await make("aws:iam/role:Role", "role", {
    name: "ecommerce-api-gateway-to-s3",
    assumeRolePolicy: JSON.stringify({
      Version: "2012-10-17",
      Statement: [{ Effect: "Allow", Principal: { Service: "apigateway.amazonaws.com" }, Action: "sts:AssumeRole" }],
    }),
  });
  await make("aws:iam/rolePolicy:RolePolicy", "s3-policy", {
    name: "ecommerce-s3-policy",
    role: role.name,
    policy: JSON.stringify({
      Version: "2012-10-17",
      Statement: [{ Effect: "Allow", Action: ["s3:PutObject", "s3:GetObject"], Resource: `arn:aws:s3:::${bucket}/*` }],
    }),
  });
  return role;
}

async function makeApi(make: Make, roleArn: string, { triggers = { hash: "1" }, beforeMethods }: Options) {
  const restApi = await make("aws:apigateway/restApi:RestApi", "api", {
    name: "ecommerce-api-for-s3",
    description: "to get and request objects from and to S3",
    endpointConfiguration: { types: "REGIONAL" },
    binaryMediaTypes: ["image/jpeg", "image/png", "*/*"],
  });
  const authorizer = await make("aws:apigateway/authorizer:Authorizer", "authorizer", {
    restApi: restApi.id,
    name: "ecommer-authorizer",
    type: "COGNITO_USER_POOLS",
    identitySource: "method.request.header.Authorization",
    providerArns: [poolArn],
  });
  const folder = await make("aws:apigateway/resource:Resource", "bucket", {
    restApi: restApi.id,
    parentId: restApi.rootResourceId,
    pathPart: "{bucket_name}",
  });
  const item = await make("aws:apigateway/resource:Resource", "file", {
    restApi: restApi.id,
    parentId: folder.id,
    pathPart: "{file_name}",
  });
  await beforeMethods?.(make, restApi);
  for (const verb of ["PUT", "GET"]) await makeObjectMethod(make, verb, restApi, item, authorizer, roleArn);
  for (const [name, resource] of Object.entries({ folder, item })) await makeOptions(make, name, restApi, resource);
  for (const responseType of ["DEFAULT_4XX", "DEFAULT_5XX"]) {
    await make("aws:apigateway/response:Response", responseType, {
      restApiId: restApi.id,
      responseType,
      responseParameters: prefixed("gatewayresponse", allowed),
      responseTemplates: { "application/json": '{"message":$context.error.messageString}' },
    });
  }
  const deployment = await make("aws:apigateway/deployment:Deployment", "deployment", {
    restApi: restApi.id,
    triggers,
  });
  const stage = await make("aws:apigateway/stage:Stage", "stage", {
    restApi: restApi.id,
    deployment: deployment.id,
    stageName: "dev",
  });
  return { restApi, authorizer, folder, item, deployment, stage };
}

async function makeObjectMethod(
  make: Make,
  verb: string,
  restApi: Inputs,
  item: Inputs,
  authorizer: Inputs,
  roleArn: string,
) {
  const on = { restApi: restApi.id, resourceId: item.id, httpMethod: verb };
  await make("aws:apigateway/method:Method", verb, {
    ...on,
    authorization: "COGNITO_USER_POOLS",
    authorizerId: authorizer.id,
    authorizationScopes: ["openid"],
    apiKeyRequired: false,
    requestParameters: {
      "method.request.path.bucket_name": true,
      "method.request.path.file_name": true,
      "method.request.header.Content-Type": false,
    },
  });
  await make("aws:apigateway/integration:Integration", verb, {
    ...on,
    type: "AWS",
    integrationHttpMethod: verb,
    uri: "arn:aws:apigateway:us-east-1:s3:path/{bucket}/{key}",
    credentials: roleArn,
    passthroughBehavior: "WHEN_NO_MATCH",
    timeoutMilliseconds: 29_000,
    requestParameters: {
      "integration.request.path.bucket": "method.request.path.bucket_name",
      "integration.request.path.key": "method.request.path.file_name",
      ...(verb === "PUT" && { "integration.request.header.Content-Type": "method.request.header.Content-Type" }),
    },
  });
  const headers = { ...allowed, "Content-Type": "integration.response.header.Content-Type" };
  const statuses = { "200": undefined, "400": "400", "403": "403", "404": "40[456789]", "500": "5\\d{2}" };
  for (const [statusCode, selectionPattern] of Object.entries(statuses)) {
    const name = `${verb}-${statusCode}`;
    const declared = Object.fromEntries(Object.keys(prefixed("method.response", headers)).map((key) => [key, true]));
    await make("aws:apigateway/methodResponse:MethodResponse", name, {
      ...on,
      statusCode,
      responseParameters: declared,
    });
    await make("aws:apigateway/integrationResponse:IntegrationResponse", name, {
      ...on,
      statusCode,
      selectionPattern,
      responseParameters: prefixed("method.response", headers),
      contentHandling: "CONVERT_TO_BINARY",
    });
  }
}

async function makeOptions(make: Make, name: string, restApi: Inputs, resource: Inputs) {
  const on = { restApi: restApi.id, resourceId: resource.id, httpMethod: "OPTIONS" };
  const headers = {
    ...allowed,
    "Access-Control-Allow-Methods": "'GET,PUT,OPTIONS'",
    "Access-Control-Allow-Headers": "'Authorization,Content-Type'",
  };
  await make("aws:apigateway/method:Method", `options-${name}`, { ...on, authorization: "NONE" });
  await make("aws:apigateway/integration:Integration", `options-${name}`, {
    ...on,
    type: "MOCK",
    passthroughBehavior: "WHEN_NO_TEMPLATES",
    requestTemplates: { "application/json": '{"statusCode":200}' },
    contentHandling: "CONVERT_TO_TEXT",
  });
  await make("aws:apigateway/methodResponse:MethodResponse", `options-${name}`, {
    ...on,
    statusCode: "200",
    responseParameters: Object.fromEntries(Object.keys(prefixed("method.response", headers)).map((key) => [key, true])),
  });
  await make("aws:apigateway/integrationResponse:IntegrationResponse", `options-${name}`, {
    ...on,
    statusCode: "200",
    responseParameters: prefixed("method.response", headers),
  });
}
