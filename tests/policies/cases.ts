/** For each rule, resources that it refuses and resources that it passes. */
import * as proxy from "@pulumi/policy/proxy";
import type { Seen } from "./support";

/** The SDK's representation of values that are unknown in a preview; its types do not declare it. */
export const { unknownCheckingProxy, unknownStringValue: unknown } = proxy as any;

const tagged = { props: { defaultTags: '{"tags":{"project":"ecommerce","stack":"prod"}}' } };

export const resource = (type: string, props: Seen["props"], protect = true): Seen => ({
  type,
  name: "it",
  props,
  opts: { protect },
  provider: tagged,
});

export const database = (props: object, protect = true) =>
  resource(
    "aws:rds/instance:Instance",
    {
      publiclyAccessible: false,
      storageEncrypted: true,
      parameterGroupName: "group",
      backupRetentionPeriod: 7,
      deletionProtection: true,
      skipFinalSnapshot: false,
      password: "generated",
      ...props,
    },
    protect,
  );
const cluster = (props: object) =>
  resource("aws:rds/cluster:Cluster", {
    storageEncrypted: true,
    dbClusterParameterGroupName: "group",
    backupRetentionPeriod: 7,
    deletionProtection: true,
    masterPassword: "generated",
    ...props,
  });
export const ingress = (props: object) =>
  resource("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", {
    ipProtocol: "tcp",
    fromPort: 3306,
    toPort: 3306,
    ...props,
  });
const group = (family: string, value?: string) =>
  resource("aws:rds/parameterGroup:ParameterGroup", {
    family,
    parameters: value === undefined ? [] : [{ name: "require_secure_transport", value }],
  });
export const rolePolicy = (statement: object) =>
  resource("aws:iam/rolePolicy:RolePolicy", {
    policy: JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", ...statement }] }),
  });
const policyOf = (type: string, statement: object) =>
  resource(type, { policy: { Version: "2012-10-17", Statement: [{ Effect: "Allow", ...statement }] } });
export const lambda = (props: object) =>
  resource("aws:lambda/function:Function", { loggingConfig: { logGroup: "logs" }, ...props });
const pool = (props: object, protect = true) =>
  resource("aws:cognito/userPool:UserPool", { deletionProtection: "ACTIVE", ...props }, protect);
const here = (service: string) => `arn:aws:${service}:us-east-1:111122223333`;
export const queuePolicy = (statement: object) =>
  policyOf("aws:sqs/queuePolicy:QueuePolicy", { Action: "sqs:SendMessage", Resource: table, ...statement });
const table = "arn:aws:dynamodb:us-east-1:111122223333:table/orders";

export const cases: Record<string, { bad: Seen[]; good: Seen[] }> = {
  "private-database": {
    bad: [
      database({ publiclyAccessible: true }),
      database({ publiclyAccessible: undefined }),
      resource("aws:rds/clusterInstance:ClusterInstance", { publiclyAccessible: true }),
      ingress({ cidrIpv4: "192.0.2.0/24" }),
      ingress({ cidrIpv6: "2001:db8::/64" }),
      ingress({ cidrIpv4: "192.0.2.0/24", fromPort: 3000, toPort: 4000 }),
      ingress({ cidrIpv4: "10.0.0.0/7" }),
      ingress({ prefixListId: "pl-1" }),
      resource("aws:ec2/securityGroupRule:SecurityGroupRule", {
        ...{ type: "ingress", protocol: "tcp", fromPort: 3306, toPort: 3306, prefixListIds: ["pl-1"] },
      }),
    ],
    good: [
      database({}),
      ingress({ referencedSecurityGroupId: "sg-1" }),
      ingress({ cidrIpv4: "10.20.0.0/16" }),
      ingress({ cidrIpv4: "192.0.2.0/24", fromPort: 443, toPort: 443 }),
      ingress({ cidrIpv6: "fd00::/8" }),
      ingress({ prefixListId: "pl-1", fromPort: 443, toPort: 443 }),
    ],
  },
  "database-not-open-to-all": {
    bad: [
      ingress({ cidrIpv4: "0.0.0.0/0" }),
      ingress({ cidrIpv6: "::/0" }),
      ingress({ cidrIpv4: "128.0.0.0/1" }),
      ingress({ cidrIpv4: "0.0.0.0/0", ipProtocol: "-1", fromPort: undefined, toPort: undefined }),
      resource("aws:ec2/securityGroupRule:SecurityGroupRule", {
        ...{ type: "ingress", protocol: "tcp", fromPort: 0, toPort: 65_535, cidrBlocks: ["0.0.0.0/0"] },
      }),
      resource("aws:ec2/securityGroup:SecurityGroup", {
        ingress: [{ protocol: "tcp", fromPort: 3306, toPort: 3306, ipv6CidrBlocks: ["::/0"] }],
      }),
    ],
    good: [
      ingress({ cidrIpv4: "10.0.0.0/8" }),
      ingress({ cidrIpv6: "fc00::/7" }),
      ingress({ cidrIpv4: "0.0.0.0/0", fromPort: 443, toPort: 443 }),
      resource("aws:ec2/securityGroupRule:SecurityGroupRule", {
        ...{ type: "egress", protocol: "-1", fromPort: 0, toPort: 0, cidrBlocks: ["0.0.0.0/0"] },
      }),
    ],
  },
  "database-tls": {
    bad: [
      database({ parameterGroupName: undefined }),
      cluster({ dbClusterParameterGroupName: undefined }),
      group("mysql8.4"),
      group("mysql8.4", "0"),
      resource("aws:rds/clusterParameterGroup:ClusterParameterGroup", { family: "aurora-mysql8.0" }),
      resource("aws:rds/proxy:Proxy", {}),
      resource("mysql:index/user:User", { tlsOption: "NONE" }),
    ],
    good: [
      database({}),
      cluster({}),
      group("mysql8.4", "1"),
      group("mysql8.4", "ON"),
      group("aurora-mysql8.0"),
      group("postgres17"),
      resource("aws:rds/proxy:Proxy", { requireTls: true }),
      resource("mysql:index/user:User", { tlsOption: "SSL", plaintextPassword: "generated" }),
    ],
  },
  "encryption-at-rest": {
    bad: [
      database({ storageEncrypted: false }),
      database({ storageEncrypted: undefined }),
      cluster({ storageEncrypted: undefined }),
      resource("aws:sns/topic:Topic", {}),
      resource("aws:sqs/queue:Queue", { sqsManagedSseEnabled: false }),
      resource("aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration", {
        rules: [{ applyServerSideEncryptionByDefault: { sseAlgorithm: "none" } }],
      }),
      resource("aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration", {
        rules: [{ bucketKeyEnabled: true }],
      }),
    ],
    good: [
      database({}),
      cluster({}),
      resource("aws:sns/topic:Topic", { kmsMasterKeyId: "key" }),
      resource("aws:sqs/queue:Queue", {}),
      resource("aws:sqs/queue:Queue", { sqsManagedSseEnabled: false, kmsMasterKeyId: "key" }),
      resource("aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration", {
        rules: [{ applyServerSideEncryptionByDefault: { sseAlgorithm: "AES256" } }],
      }),
    ],
  },
  "named-permissions": {
    bad: [
      rolePolicy({ Action: "*", Resource: table }),
      rolePolicy({ Action: ["dynamodb:GetItem", "s3:*"], Resource: table }),
      rolePolicy({ Action: "s3:Get*", Resource: table }),
      rolePolicy({ Action: "s3:Get?bject", Resource: table }),
      rolePolicy({ Action: "s3:GetObject", Resource: "*" }),
      rolePolicy({ Action: "s3:GetObject", Resource: "arn:*" }),
      rolePolicy({ Action: "s3:GetObject", Resource: "arn:aws:s3:*" }),
      rolePolicy({ Action: "rds:DeleteDBInstance", Resource: `${here("rds")}:db:*` }),
      rolePolicy({ Action: "logs:PutLogEvents", Resource: `${here("logs")}:log-group:*:*` }),
      rolePolicy({ Action: "lambda:InvokeFunction", Resource: `${here("lambda")}:function:*:*` }),
      rolePolicy({ Action: "states:StartExecution", Resource: `${here("states")}:stateMachine:*` }),
      rolePolicy({ Action: "secretsmanager:GetSecretValue", Resource: `${here("secretsmanager")}:secret:?*` }),
      rolePolicy({ Action: "sqs:SendMessage", Resource: `${here("sqs")}:*` }),
      rolePolicy({ Action: "s3:GetObject", Resource: "arn:aws:s3:::*" }),
      rolePolicy({ Action: "lambda:InvokeFunction", Resource: "arn:aws:lambda:us-east-1:111122223333:function:*" }),
      rolePolicy({ Action: ["ec2:DescribeSubnets", "ec2:DeleteVpc"], Resource: "*" }),
      rolePolicy({ NotAction: "iam:CreateUser", Resource: "*" }),
      rolePolicy({ Action: "s3:GetObject", NotResource: table }),
      policyOf("aws:iam/policy:Policy", { Action: "kms:*", Resource: table }),
      resource("aws:iam/role:Role", {
        inlinePolicies: [{ policy: '{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}' }],
      }),
    ],
    good: [
      rolePolicy({ Action: "dynamodb:GetItem", Resource: table }),
      rolePolicy({ Action: ["s3:GetObject"], Resource: "arn:aws:s3:::images/*" }),
      rolePolicy({ Action: "execute-api:Invoke", Resource: `${here("execute-api")}:a1b2c3/*` }),
      rolePolicy({ Action: "dynamodb:Query", Resource: `${table}/index/*` }),
      rolePolicy({ Action: "lambda:InvokeFunction", Resource: `${here("lambda")}:function:register:*` }),
      rolePolicy({ Action: "secretsmanager:GetSecretValue", Resource: `${here("secretsmanager")}:secret:shop-??????` }),
      rolePolicy({ Action: "logs:PutLogEvents", Resource: "arn:aws:logs:us-east-1:111122223333:log-group:a:*" }),
      rolePolicy({ Action: ["ec2:DescribeSubnets", "ec2:CreateNetworkInterface"], Resource: "*" }),
      rolePolicy({ Effect: "Deny", Action: "*", Resource: "*" }),
    ],
  },
  "own-policies": {
    bad: [
      resource("aws:iam/rolePolicyAttachment:RolePolicyAttachment", {
        policyArn: "arn:aws:iam::aws:policy/AdministratorAccess",
      }),
      resource("aws:iam/userPolicyAttachment:UserPolicyAttachment", {
        policyArn: "arn:aws:iam::aws:policy/AmazonS3FullAccess",
      }),
      resource("aws:iam/role:Role", {
        managedPolicyArns: ["arn:aws:iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole"],
      }),
    ],
    good: [
      resource("aws:iam/rolePolicyAttachment:RolePolicyAttachment", {
        policyArn: "arn:aws:iam::111122223333:policy/own",
      }),
      resource("aws:iam/role:Role", {}),
    ],
  },
  "named-callers": {
    bad: [
      policyOf("aws:s3/bucketPolicy:BucketPolicy", { Principal: "*", Action: "s3:GetObject", Resource: table }),
      policyOf("aws:sqs/queuePolicy:QueuePolicy", { Principal: { AWS: "*" }, Action: "sqs:*", Resource: table }),
      policyOf("aws:sns/topicPolicy:TopicPolicy", { NotPrincipal: { AWS: "1" }, Action: "sns:Publish", Resource: "*" }),
      policyOf("aws:kms/key:Key", { Principal: { AWS: ["*"] }, Action: "kms:Decrypt", Resource: "*" }),
      resource("aws:iam/role:Role", {
        assumeRolePolicy: { Statement: [{ Effect: "Allow", Principal: { AWS: "*" }, Action: "sts:AssumeRole" }] },
      }),
      queuePolicy({ Principal: "*", Condition: { Bool: { "aws:SecureTransport": "true" } } }),
      queuePolicy({ Principal: "*", Condition: { StringLike: { "aws:PrincipalArn": "*" } } }),
      queuePolicy({ Principal: "*", Condition: { ArnLike: { "aws:SourceArn": "arn:aws:sns:*:*:*" } } }),
      queuePolicy({ Principal: "*", Condition: { ArnLike: { "aws:SourceArn": [table, "arn:*"] } } }),
      queuePolicy({ Principal: "*", Condition: { StringNotEquals: { "aws:SourceAccount": "111122223333" } } }),
      queuePolicy({ Principal: "*", Condition: { StringEqualsIfExists: { "aws:SourceVpce": "vpce-1" } } }),
      queuePolicy({ Principal: "*", Condition: { IpAddress: { "aws:SourceIp": ["192.0.2.0/24", "0.0.0.0/0"] } } }),
      queuePolicy({ Principal: "*", Condition: { StringEquals: { "aws:ResourceAccount": "111122223333" } } }),
      queuePolicy({ Principal: { Service: "events.amazonaws.com" } }),
      queuePolicy({ Principal: { Service: "sns.amazonaws.com" } }),
      queuePolicy({ Principal: { Service: ["events.amazonaws.com", "sns.amazonaws.com"] }, Condition: {} }),
      resource("aws:lambda/functionUrl:FunctionUrl", { functionName: "shop", authorizationType: "NONE" }),
      resource("aws:lambda/permission:Permission", { principal: "s3.amazonaws.com", sourceArn: "arn:aws:s3:::*" }),
      resource("aws:lambda/permission:Permission", { principal: "*", sourceArn: table }),
      resource("aws:lambda/permission:Permission", { principal: "cognito-idp.amazonaws.com" }),
      resource("aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock", {
        ...{ blockPublicAcls: true, blockPublicPolicy: true, ignorePublicAcls: true },
      }),
    ],
    good: [
      policyOf("aws:sqs/queuePolicy:QueuePolicy", { Effect: "Deny", Principal: "*", Action: "sqs:*", Resource: table }),
      policyOf("aws:sns/topicPolicy:TopicPolicy", {
        ...{ Principal: "*", Action: "sns:Publish", Condition: { StringEquals: { "aws:SourceAccount": "1" } } },
      }),
      queuePolicy({ Principal: "*", Condition: { StringEquals: { "AWS:PrincipalOrgId": "o-a1b2c3" } } }),
      queuePolicy({
        Principal: { AWS: "*" },
        Condition: { ArnEquals: { "aws:PrincipalArn": "arn:aws:iam::1:role/a" } },
      }),
      queuePolicy({
        Principal: { Service: "s3.amazonaws.com" },
        Condition: { ArnLike: { "aws:SourceArn": "arn:aws:s3:::images" } },
      }),
      queuePolicy({
        Principal: { Service: "sns.amazonaws.com" },
        Condition: { "ForAnyValue:ArnLike": { "aws:SourceArn": [`${here("sns")}:*`] } },
      }),
      queuePolicy({ Principal: { AWS: "111122223333" } }),
      policyOf("aws:sns/topicPolicy:TopicPolicy", {
        ...{ Principal: { AWS: "*" }, Action: "sns:Publish", Condition: { StringEquals: { "AWS:SourceOwner": "1" } } },
      }),
      policyOf("aws:sns/topicPolicy:TopicPolicy", {
        ...{ Principal: { Service: "events.amazonaws.com" }, Action: "sns:Publish", Resource: `${here("sns")}:alarms` },
      }),
      policyOf("aws:kms/key:Key", {
        Principal: { AWS: "*" },
        Condition: { StringEquals: { "kms:CallerAccount": "111122223333", "kms:ViaService": "s3.amazonaws.com" } },
      }),
      policyOf("aws:s3/bucketPolicy:BucketPolicy", {
        Principal: "*",
        Condition: { IpAddress: { "aws:SourceIp": ["192.0.2.0/24", "2001:db8::/32"] } },
      }),
      policyOf("aws:s3/bucketPolicy:BucketPolicy", {
        Principal: "*",
        Condition: { StringEquals: { "s3:DataAccessPointAccount": "111122223333" } },
      }),
      policyOf("aws:s3/bucketPolicy:BucketPolicy", {
        ...{ Principal: { Service: "logdelivery.elasticloadbalancing.amazonaws.com" }, Action: "s3:PutObject" },
        Resource: "arn:aws:s3:::logs/AWSLogs/111122223333/*",
      }),
      policyOf("aws:ec2/vpcEndpoint:VpcEndpoint", {
        ...{ Principal: "*", Action: "*", Resource: "*" },
        Condition: { StringEquals: { "aws:ResourceAccount": "111122223333" } },
      }),
      resource("aws:iam/role:Role", {
        assumeRolePolicy: {
          Statement: [{ Effect: "Allow", Principal: { Service: "lambda.amazonaws.com" }, Action: "sts:AssumeRole" }],
        },
      }),
      resource("aws:lambda/functionUrl:FunctionUrl", { functionName: "shop", authorizationType: "AWS_IAM" }),
      policyOf("aws:kms/key:Key", { Principal: { Service: "events.rds.amazonaws.com" }, Action: "kms:Decrypt" }),
      policyOf("aws:kms/key:Key", { Principal: { AWS: "arn:aws:iam::1:root" }, Action: "kms:*", Resource: "*" }),
      resource("aws:lambda/permission:Permission", { principal: "cognito-idp.amazonaws.com", sourceArn: table }),
      resource("aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock", {
        ...{ blockPublicAcls: true, blockPublicPolicy: true, ignorePublicAcls: true, restrictPublicBuckets: true },
      }),
    ],
  },
  "no-secret-in-plain": {
    bad: [
      lambda({ environment: { variables: { DB_PASSWORD: "hunter2" } } }),
      lambda({ environment: { variables: { apiKey: "hunter2" } } }),
      lambda({ environment: { variables: { DATABASE_URL: "mysql://admin:hunter2@db.example.com/shop" } } }),
      ...["DB_PASS", "dbPass", "DBPass", "DB_PWD", "MYSQL_PW", "Credentials", "CREDENTIALS", "JWT", "SIGNING_KEY"].map(
        (key) => lambda({ environment: { variables: { [key]: "hunter2" } } }),
      ),
      lambda({ environment: { variables: { STRIPE_SK: `sk_${"live"}_4eC39HqLyjWDarjtT1zdp7dc` } } }),
      lambda({ description: "for eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl" }),
      lambda({ description: "key AKIAIOSFODNN7EXAMPLE" }),
      resource("aws:ssm/parameter:Parameter", { type: "String", value: "-----BEGIN RSA PRIVATE KEY-----\nMII" }),
      database({ tags: { ...JSON.parse(tagged.props.defaultTags).tags, password: "hunter2" } }),
    ],
    good: [
      lambda({ environment: { variables: { SecretName: "ecommerce_secret", QueueUrl: "https://sqs/1" } } }),
      ...[
        "COMPASS",
        "bypass",
        "passThrough",
        "PASS_COUNT",
        "userPasswordPolicy",
        "passwordLength",
        "RpwX",
        "jwtIssuer",
      ].map((key) => lambda({ environment: { variables: { [key]: "north" } } })),
      resource("aws:apigateway/integration:Integration", { credentials: "arn:aws:iam::111122223333:role/images" }),
      database({ password: "hunter2" }),
      resource("aws:secretsmanager/secretVersion:SecretVersion", { secretString: '{"password":"hunter2"}' }),
      resource("aws:lambda/invocation:Invocation", { input: '{"url":"mysql://admin:hunter2@db"}' }),
      resource("aws:cognito/userPoolClient:UserPoolClient", { tokenValidityUnits: { accessToken: "minutes" } }),
      resource("pulumi:providers:mysql", { password: "hunter2" }),
    ],
  },
  retention: {
    bad: [
      resource("aws:cloudwatch/logGroup:LogGroup", {}),
      resource("aws:cloudwatch/logGroup:LogGroup", { retentionInDays: 0 }),
      database({ backupRetentionPeriod: 0 }),
      database({ backupRetentionPeriod: 6 }),
      cluster({ backupRetentionPeriod: undefined }),
      lambda({ loggingConfig: undefined }),
    ],
    good: [
      resource("aws:cloudwatch/logGroup:LogGroup", { retentionInDays: 30 }),
      database({}),
      cluster({}),
      lambda({}),
    ],
  },
  "protected-data": {
    bad: [
      database({}, false),
      database({ deletionProtection: false }),
      database({ skipFinalSnapshot: true }),
      cluster({ deletionProtection: undefined }),
      pool({}, false),
      pool({ deletionProtection: "INACTIVE" }),
      resource("aws:s3/bucket:Bucket", { forceDestroy: true }),
      resource("aws:secretsmanager/secret:Secret", { recoveryWindowInDays: 0 }),
      resource("aws:rds/clusterInstance:ClusterInstance", {}, false),
      resource("aws:sqs/queue:Queue", {}, false),
    ],
    good: [
      database({}),
      cluster({}),
      pool({}),
      resource("aws:s3/bucket:Bucket", {}),
      resource("aws:rds/clusterInstance:ClusterInstance", {}),
      resource("aws:sqs/queue:Queue", {}),
      resource("aws:secretsmanager/secret:Secret", {}),
      resource("aws:secretsmanager/secret:Secret", { recoveryWindowInDays: 30 }),
      resource("aws:cloudwatch/dashboard:Dashboard", {}, false),
    ],
  },
  tags: {
    bad: [
      { ...pool({}), provider: { props: {} } },
      pool({ tags: { stack: "dev" } }),
      { ...pool({ tags: { project: "ecommerce" } }), provider: { props: {} } },
    ],
    good: [
      pool({}),
      pool({ tags: { Name: "users" } }),
      { ...pool({ tags: { project: "ecommerce", stack: "prod" } }), provider: { props: {} } },
      { ...resource("aws:iam/rolePolicy:RolePolicy", {}), provider: { props: {} } },
    ],
  },
};
