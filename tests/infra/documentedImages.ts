/** The documented settings of the images: the bucket, its API, and the API's role. */
import { expect } from "vitest";
import { arnOf, idOf } from "../support/program";
import { document, type Row, types } from "./documentedRow";

/** S7 */
export function bucket({ it, inputs, recorded }: Row): void {
  const of = (kind: string) => inputs(`aws:s3/bucket${kind}:Bucket${kind}`);
  it("is called ecommerce-app-jlrg in us-east-1 for stack dev, by configuration", () => {
    expect(inputs(types.bucket).bucket).toBe("ecommerce-app-jlrg");
    expect(recorded().outputs).toMatchObject({ bucketName: expect.any(String), region: "us-east-1" });
  });
  it("has ACLs disabled", () => {
    expect(of("OwnershipControls").rule).toEqual({ objectOwnership: "BucketOwnerEnforced" });
  });
  it("does not block public access", () => {
    expect(of("PublicAccessBlock")).toMatchObject({
      blockPublicAcls: false,
      blockPublicPolicy: false,
      ignorePublicAcls: false,
      restrictPublicBuckets: false,
    });
  });
  it("has versioning and object lock off", () => {
    expect(of("Versioning").versioningConfiguration).toEqual({ status: "Disabled" });
    expect(inputs(types.bucket).objectLockEnabled).toBe(false);
  });
  it("encrypts with SSE-S3 and the bucket key", () => {
    expect(of("ServerSideEncryptionConfiguration").rules).toEqual([
      { applyServerSideEncryptionByDefault: { sseAlgorithm: "AES256" }, bucketKeyEnabled: true },
    ]);
  });
  it("lets anyone get any object, and nothing else", () => {
    expect(document(of("Policy").policy).Statement).toEqual([
      {
        Sid: "AnyoneMayGet",
        Effect: "Allow",
        Principal: "*",
        Action: "s3:GetObject",
        Resource: `${arnOf(recorded().one(types.bucket))}/*`,
      },
    ]);
  });
  it("has five resources with settings, all for this bucket", () => {
    const settings = recorded().resources.filter(({ type }) => /^aws:s3\/bucket\w/.test(type));
    expect(settings).toHaveLength(5);
    for (const setting of settings) expect(setting.inputs.bucket).toBe(idOf(recorded().one(types.bucket)));
  });
}

/** S8 */
export function apiRole({ it, inputs, recorded }: Row): void {
  const name = "image-api-role";
  it("is called ecommerce-api-gateway-to-s3 and is API Gateway's", () => {
    expect(inputs(types.role, name).name).toBe("ecommerce-api-gateway-to-s3");
    expect(document(inputs(types.role, name).assumeRolePolicy).Statement).toEqual([
      { Effect: "Allow", Action: "sts:AssumeRole", Principal: { Service: "apigateway.amazonaws.com" } },
    ]);
  });
  it("pushes logs to CloudWatch", () => {
    expect(inputs("aws:iam/rolePolicyAttachment:RolePolicyAttachment")).toMatchObject({
      role: "ecommerce-api-gateway-to-s3",
      policyArn: "arn:aws:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs",
    });
  });
  it("puts and gets the bucket's objects by ecommerce-s3-policy", () => {
    const policy = inputs(types.rolePolicy, `${name}-ecommerce-s3-policy`);
    expect(policy.name).toBe("ecommerce-s3-policy");
    expect(document(policy.policy).Statement).toEqual([
      {
        Effect: "Allow",
        Action: ["s3:PutObject", "s3:GetObject"],
        Resource: `${arnOf(recorded().one(types.bucket))}/*`,
      },
    ]);
  });
  it("lists, reads, writes and tags in Cognito Identity by ecommerce-cognito-policy", () => {
    const policy = inputs(types.rolePolicy, `${name}-ecommerce-cognito-policy`);
    expect(policy.name).toBe("ecommerce-cognito-policy");
    const [statement, ...others] = document(policy.policy).Statement;
    expect(others).toEqual([]);
    expect(statement.Action.every((action: string) => /^cognito-identity:[A-Z]\w+$/.test(action))).toBe(true);
    // One of each access level: list, read, write, tagging.
    for (const action of ["ListIdentityPools", "DescribeIdentityPool", "CreateIdentityPool", "TagResource"]) {
      expect(statement.Action).toContain(`cognito-identity:${action}`);
    }
  });
}

/** S9 */
export function restApi({ describe, it, inputs, recorded }: Row): void {
  const methods = () =>
    recorded()
      .all(types.method)
      .map((method) => method.inputs as Record<string, any>);
  const file = () => recorded().one(types.resource, "image-api-file");
  const bucket = () => recorded().one(types.resource, "image-api-bucket");

  it("is regional, called ecommerce-api-for-s3, and described as documented", () => {
    expect(inputs(types.api)).toMatchObject({
      name: "ecommerce-api-for-s3",
      description: "to get and request objects from and to S3",
      endpointConfiguration: { types: "REGIONAL" },
    });
  });
  it("treats image/jpeg, image/png and every other type as binary, since text would be stored damaged", () => {
    expect(inputs(types.api).binaryMediaTypes).toEqual(["image/jpeg", "image/png", "*/*"]);
  });
  it("converts the preflight to text, since a template cannot be applied to a binary request", () => {
    const mocks = recorded()
      .all(types.integration)
      .filter(({ inputs }) => inputs.type === "MOCK");
    expect(mocks.map(({ inputs }) => inputs.contentHandling)).toEqual(["CONVERT_TO_TEXT", "CONVERT_TO_TEXT"]);
  });
  it("has the resources /{bucket_name}/{file_name}", () => {
    expect(bucket().inputs).toMatchObject({ pathPart: "{bucket_name}", parentId: "root" });
    expect(file().inputs).toMatchObject({ pathPart: "{file_name}", parentId: idOf(bucket()) });
    expect(recorded().all(types.resource)).toHaveLength(2);
  });
  it("has CORS on both resources", () => {
    const options = methods().filter(({ httpMethod }) => httpMethod === "OPTIONS");
    expect(options.map(({ resourceId }) => resourceId).toSorted()).toEqual([idOf(bucket()), idOf(file())]);
    for (const { authorization } of options) expect(authorization).toBe("NONE");
    const answers = recorded().all("aws:apigateway/integrationResponse:IntegrationResponse");
    const preflight = answers.find(({ name }) => name === "image-api-file-options-200")!.inputs as any;
    expect(preflight.responseParameters).toMatchObject({
      "method.response.header.Access-Control-Allow-Headers": "'Authorization,Content-Type'",
      "method.response.header.Access-Control-Allow-Methods": "'GET,PUT,OPTIONS'",
      "method.response.header.Access-Control-Allow-Origin": "'*'",
    });
    for (const { inputs: answer } of answers) {
      expect((answer.responseParameters as any)["method.response.header.Access-Control-Allow-Origin"]).toBe("'*'");
    }
  });
  it("reads the token from the Authorization header, by ecommer-authorizer", () => {
    expect(inputs("aws:apigateway/authorizer:Authorizer")).toMatchObject({
      name: "ecommer-authorizer",
      type: "COGNITO_USER_POOLS",
      identitySource: "method.request.header.Authorization",
      providerArns: [arnOf(recorded().one(types.pool))],
    });
  });

  for (const httpMethod of ["PUT", "GET"])
    describe(httpMethod, () => {
      const name = `image-api-${httpMethod.toLowerCase()}`;
      it("requires the scope openid, and has no request validator and no API key", () => {
        const method = inputs(types.method, `${name}-method`);
        expect(method).toMatchObject({
          httpMethod,
          resourceId: idOf(file()),
          authorization: "COGNITO_USER_POOLS",
          authorizerId: idOf(recorded().one("aws:apigateway/authorizer:Authorizer")),
          authorizationScopes: ["openid"],
          apiKeyRequired: false,
        });
        expect(method.requestValidatorId).toBeUndefined();
      });
      it("is an integration with S3: path override {bucket}/{key} from the two path parameters", () => {
        expect(inputs(types.integration, `${name}-s3`)).toMatchObject({
          type: "AWS",
          httpMethod,
          integrationHttpMethod: httpMethod,
          uri: "arn:aws:apigateway:us-east-1:s3:path/{bucket}/{key}",
          requestParameters: {
            "integration.request.path.bucket": "method.request.path.bucket_name",
            "integration.request.path.key": "method.request.path.file_name",
          },
        });
        expect(inputs(types.method, `${name}-method`).requestParameters).toMatchObject({
          "method.request.path.bucket_name": true,
          "method.request.path.file_name": true,
        });
      });
      it("runs with the role of S8, whose credentials are not part of the cache key", () => {
        expect(inputs(types.integration, `${name}-s3`)).toMatchObject({
          credentials: arnOf(recorded().one(types.role, "image-api-role")),
          cacheKeyParameters: [],
        });
      });
      it("passes the content through and waits 29 s", () => {
        const integration = inputs(types.integration, `${name}-s3`);
        expect(integration).toMatchObject({ passthroughBehavior: "WHEN_NO_MATCH", timeoutMilliseconds: 29_000 });
        expect(integration.contentHandling).toBeUndefined();
        expect(integration.requestTemplates).toBeUndefined();
      });
      it("passes S3's errors on with their own status", () => {
        const answers = recorded()
          .all("aws:apigateway/integrationResponse:IntegrationResponse")
          .map((answer) => answer.inputs as Record<string, any>)
          .filter((answer) => answer.httpMethod === httpMethod);
        expect(answers.map(({ statusCode }) => statusCode)).toEqual(
          expect.arrayContaining(["200", "403", "404", "503"]),
        );
        // Each returns the status that it selects; none is the default, which would turn every other status into 200.
        for (const { statusCode, selectionPattern } of answers) expect(selectionPattern).toBe(statusCode);
      });
    });

  it("returns S3's bytes whatever Accept is, also for errors, and S3's content type", () => {
    const answer = inputs("aws:apigateway/integrationResponse:IntegrationResponse", "image-api-get-200");
    const answers = recorded().all("aws:apigateway/integrationResponse:IntegrationResponse");
    for (const { inputs } of answers.filter(({ inputs }) => inputs.httpMethod !== "OPTIONS")) {
      expect(inputs.contentHandling).toBe("CONVERT_TO_BINARY");
    }
    expect(answer.responseParameters).toMatchObject({
      "method.response.header.Content-Type": "integration.response.header.Content-Type",
    });
  });
  it("keeps the content type of an upload", () => {
    expect(inputs(types.integration, "image-api-put-s3").requestParameters).toMatchObject({
      "integration.request.header.Content-Type": "method.request.header.Content-Type",
    });
  });
  it("lets browsers read the gateway's own errors", () => {
    const responses = recorded().all("aws:apigateway/response:Response");
    expect(responses.map(({ inputs }) => inputs.responseType)).toEqual(["DEFAULT_4XX", "DEFAULT_5XX"]);
    for (const { inputs } of responses) {
      expect(inputs.responseParameters).toMatchObject({
        "gatewayresponse.header.Access-Control-Allow-Origin": "'*'",
      });
    }
  });
  it("is deployed to a stage", () => {
    expect(inputs("aws:apigateway/stage:Stage")).toMatchObject({
      stageName: "v1",
      deployment: idOf(recorded().one("aws:apigateway/deployment:Deployment")),
      restApi: idOf(recorded().one(types.api)),
    });
  });
}
