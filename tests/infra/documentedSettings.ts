/** Every setting that the documents fix (rows S1 to S9), as checks on what the whole program registers. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { expect } from "vitest";
import { projectRoot } from "../support/native";
import { arnOf, idOf, type Recorded } from "../support/program";
import { apiRole, bucket, restApi } from "./documentedImages";
import { document, type Group, type Row, types } from "./documentedRow";

/**
 * @param describe starts a row; `it` defines one of its checks: Vitest's functions, or functions that collect the
 *   checks
 * @param recorded returns the registered resources; each check calls it when it runs
 */
export function documentedSettings(describe: Group, it: Group, recorded: () => Recorded): void {
  const inputs = (type: string, name?: string) => recorded().one(type, name).inputs as Record<string, any>;
  const row: Row = { describe, it, recorded, inputs };
  describe("S1: user pool, app client, managed login", () => userPool(row));
  describe("S2: MySQL on RDS that the function can reach", () => database(row));
  describe("S3: the schema", () => schema(row));
  describe("S4: the secret", () => secret(row));
  describe("S5: the function", () => registerUser(row));
  describe("S6: the trigger and its permission", () => trigger(row));
  describe("S7: the bucket", () => bucket(row));
  describe("S8: the role of the API", () => apiRole(row));
  describe("S9: the REST API", () => restApi(row));
}

function userPool({ it, inputs, recorded }: Row): void {
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
  it("lets access and ID tokens live for 60 minutes and refresh tokens for 30 days, as Cognito does by default", () => {
    // API Gateway accepts a token until it expires, even if the person has been deleted since.
    for (const client of recorded().all(types.client)) {
      expect(client.inputs, client.name).toMatchObject({
        accessTokenValidity: 60,
        idTokenValidity: 60,
        refreshTokenValidity: 30,
        tokenValidityUnits: { accessToken: "minutes", idToken: "minutes", refreshToken: "days" },
        enableTokenRevocation: true,
      });
    }
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
}

function database({ it, inputs, recorded }: Row): void {
  it("is MySQL 8.4, encrypted and backed up", () => {
    expect(inputs(types.instance)).toMatchObject({ engine: "mysql", engineVersion: "8.4", storageEncrypted: true });
    expect(inputs(types.instance).backupRetentionPeriod).toBeGreaterThanOrEqual(1);
  });
  it("requires TLS by its parameter group", () => {
    const group = inputs("aws:rds/parameterGroup:ParameterGroup");
    expect(group.family).toBe("mysql8.4");
    expect(group.parameters).toContainEqual(expect.objectContaining({ name: "require_secure_transport", value: "1" }));
    expect(inputs(types.instance).parameterGroupName).toBe(
      recorded().one("aws:rds/parameterGroup:ParameterGroup").name,
    );
  });
  it("can be reached from the function: subnets of one VPC, and security groups that name each other", () => {
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
}

function schema({ it, inputs, recorded }: Row): void {
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
}

function secret({ it, inputs }: Row): void {
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
}

function registerUser({ it, inputs, recorded }: Row): void {
  it("has the environment variable SecretName, and no other", () => {
    expect(inputs(types.function).environment.variables).toEqual({ SecretName: "ecommerce_secret" });
  });
  it("has a time-out of 5 s, logs JSON to a group with a retention time, and runs in the private subnets", () => {
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
}

function trigger({ it, inputs, recorded }: Row): void {
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
}
