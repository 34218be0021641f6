/** Every setting that the documents fix (rows S1 to S9), as checks on what the whole program registers. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { expect } from "vitest";
import { projectRoot } from "../support/native";
import { arnOf, idOf, type Recorded } from "../support/program";

type Group = (title: string, body: () => void) => void;

const types = {
  pool: "aws:cognito/userPool:UserPool",
  client: "aws:cognito/userPoolClient:UserPoolClient",
  instance: "aws:rds/instance:Instance",
  secret: "aws:secretsmanager/secret:Secret",
  secretVersion: "aws:secretsmanager/secretVersion:SecretVersion",
  function: "aws:lambda/function:Function",
  permission: "aws:lambda/permission:Permission",
  bucket: "aws:s3/bucket:Bucket",
  role: "aws:iam/role:Role",
  rolePolicy: "aws:iam/rolePolicy:RolePolicy",
  api: "aws:apigateway/restApi:RestApi",
  resource: "aws:apigateway/resource:Resource",
  method: "aws:apigateway/method:Method",
  integration: "aws:apigateway/integration:Integration",
} as const;
const document = (policy: unknown) => (typeof policy === "string" ? JSON.parse(policy) : policy);

/**
 * @param describe opens a row, `it` takes one of its checks: Vitest's own, or what collects them
 * @param recorded what was registered; asked by each check when it runs
 */
export function documentedSettings(describe: Group, it: Group, recorded: () => Recorded): void {
  const inputs = (type: string, name?: string) => recorded().one(type, name).inputs as Record<string, any>;
  describe("S1: user pool, app client, managed login", () => {
    it("names the pool auth_user_group and the client auth_user_app", () => {
      expect(inputs(types.pool).name).toBe("auth_user_group");
      expect(inputs(types.client).name).toBe("auth_user_app");
    });
    it("lets people sign up by themselves, with their e-mail address", () => {
      expect(inputs(types.pool).adminCreateUserConfig?.allowAdminCreateUserOnly ?? false).toBe(false);
      expect(inputs(types.pool).usernameAttributes).toEqual(["email"]);
      expect(inputs(types.pool).usernameConfiguration).toEqual({ caseSensitive: false });
    });
    it("asks for the scopes openid, email and aws.cognito.signin.user.admin", () => {
      expect(inputs(types.client).allowedOauthScopes.toSorted()).toEqual([
        "aws.cognito.signin.user.admin",
        "email",
        "openid",
      ]);
      expect(inputs(types.client)).toMatchObject({
        allowedOauthFlowsUserPoolClient: true,
        allowedOauthFlows: ["code"],
        supportedIdentityProviders: ["COGNITO"],
        generateSecret: false,
      });
    });
    it("mails a confirmation code", () => {
      expect(inputs(types.pool).autoVerifiedAttributes).toEqual(["email"]);
      expect(inputs(types.pool).verificationMessageTemplate.defaultEmailOption).toBe("CONFIRM_WITH_CODE");
      expect(inputs(types.pool).verificationMessageTemplate.emailMessage).toContain("{####}");
    });
    it("serves managed login version 2, with the branding that it needs", () => {
      expect(inputs("aws:cognito/userPoolDomain:UserPoolDomain")).toMatchObject({
        managedLoginVersion: 2,
        domain: "ecommerce-jlrg",
        userPoolId: idOf(recorded().one(types.pool)),
      });
      expect(inputs("aws:cognito/managedLoginBranding:ManagedLoginBranding")).toMatchObject({
        useCognitoProvidedValues: true,
        clientId: idOf(recorded().one(types.client)),
        userPoolId: idOf(recorded().one(types.pool)),
      });
      expect(inputs(types.pool).userPoolTier).toBe("ESSENTIALS");
    });
    it("limits an e-mail address to the 100 characters of User_Email", () => {
      const email = inputs(types.pool).schemas.find((schema: any) => schema.name === "email");
      expect(email.stringAttributeConstraints.maxLength).toBe("100");
      // With one of the two alone, every preview would show a difference.
      expect(email.stringAttributeConstraints.minLength).toBeDefined();
    });
  });

  describe("S2: MySQL on RDS that the function can reach", () => {
    it("is MySQL 8.4, encrypted and backed up", () => {
      expect(inputs(types.instance)).toMatchObject({ engine: "mysql", engineVersion: "8.4", storageEncrypted: true });
      expect(inputs(types.instance).backupRetentionPeriod).toBeGreaterThanOrEqual(1);
    });
    it("requires TLS by its parameter group", () => {
      const group = inputs("aws:rds/parameterGroup:ParameterGroup");
      expect(group.family).toBe("mysql8.4");
      expect(group.parameters).toContainEqual(
        expect.objectContaining({ name: "require_secure_transport", value: "1" }),
      );
      expect(inputs(types.instance).parameterGroupName).toBe(
        recorded().one("aws:rds/parameterGroup:ParameterGroup").name,
      );
    });
    it("shares a way with the function: subnets of one VPC, and groups that name each other", () => {
      const [vpc] = recorded().all("aws:ec2/vpc:Vpc");
      for (const subnet of recorded().all("aws:ec2/subnet:Subnet")) expect(subnet.inputs.vpcId).toBe(idOf(vpc!));
      const functionGroup = inputs(types.function).vpcConfig.securityGroupIds;
      const databaseGroup = inputs(types.instance).vpcSecurityGroupIds;
      const rules = recorded()
        .all("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule")
        .map((rule) => rule.inputs);
      expect(rules).toContainEqual(
        expect.objectContaining({
          securityGroupId: databaseGroup[0],
          referencedSecurityGroupId: functionGroup[0],
          fromPort: 3306,
          toPort: 3306,
        }),
      );
    });
  });

  describe("S3: the schema", () => {
    it("makes ecommerce_db with the documented charset and collation", () => {
      expect(inputs("mysql:index/database:Database")).toMatchObject({
        name: "ecommerce_db",
        defaultCharacterSet: "utf8mb4",
        defaultCollation: "utf8mb4_0900_ai_ci",
      });
    });
    it("runs ecommerceSchema.sql", () => {
      const [file] = recorded().all("pulumi-nodejs:dynamic:Resource");
      expect(file!.inputs.sql).toBe(readFileSync(path.join(projectRoot, "schema/ecommerceSchema.sql"), "utf8"));
      expect(file!.inputs.sql).toContain("CREATE TABLE IF NOT EXISTS");
    });
    it("lets the function's user write `users` and nothing else, over TLS only", () => {
      const user = inputs("mysql:index/user:User");
      expect(user.tlsOption).toBe("SSL");
      expect(inputs("mysql:index/grant:Grant")).toMatchObject({
        user: user.user,
        database: "ecommerce_db",
        table: "users",
        privileges: ["INSERT", "SELECT"],
      });
    });
  });

  describe("S4: the secret", () => {
    it("is called ecommerce_secret", () => {
      expect(inputs(types.secret).name).toBe("ecommerce_secret");
    });
    it("holds exactly the six documented keys, for the function's user", () => {
      const value = JSON.parse(inputs(types.secretVersion).secretString);
      expect(value).toEqual({
        username: inputs("mysql:index/user:User").user,
        password: inputs("mysql:index/user:User").plaintextPassword,
        engine: "mysql",
        host: "database.example.com",
        port: 3306,
        dbClusterIdentifier: "database-1",
      });
      expect(value.username).not.toBe(inputs(types.instance).username);
      expect(value.password).not.toBe(inputs(types.instance).password);
    });
  });

  describe("S5: the function", () => {
    it("has the environment variable SecretName, and no other", () => {
      expect(inputs(types.function).environment.variables).toEqual({ SecretName: "ecommerce_secret" });
    });
    it("ends after 5 s, logs JSON to a group that forgets, and runs in the private subnets", () => {
      const logs = recorded().one("aws:cloudwatch/logGroup:LogGroup", "register-user-logs");
      expect(inputs(types.function)).toMatchObject({
        timeout: 5,
        runtime: "nodejs24.x",
        handler: "__index.handler",
        loggingConfig: { logFormat: "JSON", logGroup: logs.name },
      });
      expect(logs.inputs.retentionInDays).toBe(30);
      expect(inputs(types.function).vpcConfig.subnetIds).toEqual(["network-private-1-id", "network-private-2-id"]);
    });
    it("has a role of its own that reads this secret and writes this log", () => {
      const role = recorded().one(types.role, "register-user-role");
      expect(inputs(types.function).role).toBe(arnOf(role));
      expect(document(role.inputs.assumeRolePolicy).Statement).toEqual([
        { Effect: "Allow", Action: "sts:AssumeRole", Principal: { Service: "lambda.amazonaws.com" } },
      ]);
      const statements = document(inputs(types.rolePolicy, "register-user-policy").policy).Statement;
      const resourceOf = (action: string) =>
        statements.filter((s: any) => [s.Action].flat().includes(action)).map((s: any) => s.Resource);
      expect(resourceOf("secretsmanager:GetSecretValue")).toEqual([arnOf({ name: "secret-value" })]);
      expect(resourceOf("logs:PutLogEvents")).toEqual([`${arnOf({ name: "register-user-logs" })}:*`]);
      expect(
        recorded()
          .all("aws:iam/rolePolicyAttachment:RolePolicyAttachment")
          .map((a) => a.inputs.role),
      ).not.toContain(role.name);
    });
  });

  describe("S6: the trigger and its permission", () => {
    it("is the pool's post-confirmation function", () => {
      expect(inputs(types.pool).lambdaConfig.postConfirmation).toBe(arnOf(recorded().one(types.function)));
    });
    it("may be called by Cognito for this pool only", () => {
      expect(inputs(types.permission)).toMatchObject({
        action: "lambda:InvokeFunction",
        function: recorded().one(types.function).name,
        principal: "cognito-idp.amazonaws.com",
        sourceArn: arnOf(recorded().one(types.pool)),
      });
    });
  });

  describe("S7: the bucket", () => {
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
    it("is what every setting is for", () => {
      const settings = recorded().resources.filter(({ type }) => /^aws:s3\/bucket\w/.test(type));
      expect(settings).toHaveLength(5);
      for (const setting of settings) expect(setting.inputs.bucket).toBe(idOf(recorded().one(types.bucket)));
    });
  });

  describe("S8: the role of the API", () => {
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
  });

  describe("S9: the REST API", () => {
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
    it("takes image/jpeg and image/png as binary", () => {
      expect(inputs(types.api).binaryMediaTypes).toEqual(["image/jpeg", "image/png"]);
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
        it("wants the scope openid, no request validator and no API key", () => {
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
          // Each answers the status that it selects; none is the default, which would read every other status as 200.
          for (const { statusCode, selectionPattern } of answers) expect(selectionPattern).toBe(statusCode);
        });
      });

    it("returns pictures byte for byte whatever Accept says, with S3's content type", () => {
      const answer = inputs("aws:apigateway/integrationResponse:IntegrationResponse", "image-api-get-200");
      expect(answer.contentHandling).toBe("CONVERT_TO_BINARY");
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
  });
}
