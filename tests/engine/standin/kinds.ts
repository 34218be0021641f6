/**
 * Rules of each resource type that the installed package's types do not contain. A type that is not listed is refused,
 * so that a test never relies on behaviour that nobody compared with AWS's.
 *
 * The sources are the ForceNew marks of github.com/hashicorp/terraform-provider-aws, `internal/service/`, and the names
 * that Pulumi fills in itself (https://www.pulumi.com/docs/iac/concepts/resources/names/#autonaming).
 */
export interface TypeRules {
  /** Inputs that only a new resource can have. */
  readonly replaces: readonly string[];
  /** The input that is its name, unique in account and region; made from the logical name if the program sets none. */
  readonly named?: string;
  /** The name need not be unique. */
  readonly shared?: true;
}

const rules = (replaces: string, named?: string, shared?: true): TypeRules => ({
  replaces: [...replaces.split(" ").filter(Boolean), ...(named ? [named] : [])],
  ...(named ? { named } : {}),
  ...(shared ? { shared } : {}),
});

export const kinds: Readonly<Record<string, TypeRules>> = {
  "aws:apigateway/account:Account": rules(""),
  "aws:apigateway/authorizer:Authorizer": rules("restApi"),
  "aws:apigateway/deployment:Deployment": rules("restApi triggers"),
  "aws:apigateway/integration:Integration": rules(
    "restApi resourceId httpMethod type credentials integrationHttpMethod passthroughBehavior",
  ),
  "aws:apigateway/integrationResponse:IntegrationResponse": rules("restApi resourceId httpMethod statusCode"),
  "aws:apigateway/method:Method": rules("restApi resourceId httpMethod"),
  "aws:apigateway/methodResponse:MethodResponse": rules("restApi resourceId httpMethod statusCode"),
  "aws:apigateway/resource:Resource": rules("restApi"),
  "aws:apigateway/response:Response": rules("restApiId responseType"),
  "aws:apigateway/restApi:RestApi": rules(""),
  "aws:apigateway/stage:Stage": rules("restApi stageName"),
  "aws:cloudwatch/dashboard:Dashboard": rules("", "dashboardName"),
  "aws:cloudwatch/logGroup:LogGroup": rules("", "name"),
  "aws:cloudwatch/logMetricFilter:LogMetricFilter": rules("logGroupName", "name", true),
  "aws:cloudwatch/metricAlarm:MetricAlarm": rules("", "name"),
  "aws:cognito/managedLoginBranding:ManagedLoginBranding": rules("clientId userPoolId"),
  "aws:cognito/resourceServer:ResourceServer": rules("identifier userPoolId"),
  "aws:cognito/userPool:UserPool": rules("aliasAttributes usernameAttributes usernameConfiguration", "name", true),
  "aws:cognito/userPoolClient:UserPoolClient": rules("userPoolId generateSecret"),
  "aws:cognito/userPoolDomain:UserPoolDomain": rules("domain userPoolId"),
  "aws:ec2/internetGateway:InternetGateway": rules(""),
  "aws:ec2/route:Route": rules("routeTableId destinationCidrBlock"),
  "aws:ec2/routeTable:RouteTable": rules("vpcId"),
  "aws:ec2/routeTableAssociation:RouteTableAssociation": rules("subnetId"),
  "aws:ec2/securityGroup:SecurityGroup": rules("description vpcId", "name"),
  "aws:ec2/subnet:Subnet": rules("vpcId cidrBlock availabilityZone"),
  "aws:ec2/vpc:Vpc": rules("cidrBlock"),
  "aws:ec2/vpcEndpoint:VpcEndpoint": rules("vpcId serviceName vpcEndpointType"),
  "aws:iam/role:Role": rules("path", "name"),
  "aws:iam/rolePolicy:RolePolicy": rules("role", "name", true),
  "aws:iam/rolePolicyAttachment:RolePolicyAttachment": rules("role policyArn"),
  "aws:kms/key:Key": rules(""),
  "aws:lambda/eventSourceMapping:EventSourceMapping": rules("eventSourceArn"),
  "aws:lambda/function:Function": rules("packageType", "name"),
  // With the lifecycle CREATE_ONLY; with CRUD it would be updated.
  "aws:lambda/invocation:Invocation": rules("functionName qualifier input triggers"),
  "aws:lambda/permission:Permission": rules("action function principal sourceAccount sourceArn"),
  "aws:rds/cluster:Cluster": rules(
    "availabilityZones databaseName dbSubnetGroupName engine engineMode kmsKeyId masterUsername storageEncrypted",
    "clusterIdentifier",
  ),
  "aws:rds/clusterInstance:ClusterInstance": rules("clusterIdentifier dbSubnetGroupName engine", "identifier"),
  "aws:rds/clusterParameterGroup:ClusterParameterGroup": rules("family description", "name"),
  "aws:rds/eventSubscription:EventSubscription": rules("", "name"),
  "aws:rds/instance:Instance": rules(
    "availabilityZone characterSetName dbName engine kmsKeyId storageEncrypted username",
    "identifier",
  ),
  "aws:rds/parameterGroup:ParameterGroup": rules("family description", "name"),
  "aws:rds/proxy:Proxy": rules("engineFamily vpcSubnetIds", "name"),
  "aws:rds/proxyDefaultTargetGroup:ProxyDefaultTargetGroup": rules("dbProxyName"),
  "aws:rds/proxyTarget:ProxyTarget": rules("dbProxyName targetGroupName dbInstanceIdentifier dbClusterIdentifier"),
  "aws:rds/subnetGroup:SubnetGroup": rules("", "name"),
  "aws:s3/bucket:Bucket": rules("objectLockEnabled", "bucket"),
  "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": rules("bucket"),
  "aws:s3/bucketOwnershipControls:BucketOwnershipControls": rules("bucket"),
  "aws:s3/bucketPolicy:BucketPolicy": rules("bucket"),
  "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": rules("bucket"),
  "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": rules("bucket"),
  "aws:s3/bucketVersioning:BucketVersioning": rules("bucket"),
  "aws:secretsmanager/secret:Secret": rules("", "name"),
  "aws:secretsmanager/secretRotation:SecretRotation": rules("secretId"),
  "aws:secretsmanager/secretVersion:SecretVersion": rules("secretId secretString"),
  "aws:sns/topic:Topic": rules("fifoTopic", "name"),
  "aws:sns/topicPolicy:TopicPolicy": rules("arn"),
  "aws:sns/topicSubscription:TopicSubscription": rules("endpoint protocol topic"),
  "aws:sqs/queue:Queue": rules("fifoQueue", "name"),
  "aws:sqs/queuePolicy:QueuePolicy": rules("queueUrl"),
  "aws:sqs/redriveAllowPolicy:RedriveAllowPolicy": rules("queueUrl"),
  "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": rules("securityGroupId"),
  "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": rules("securityGroupId"),
};

/** Types of resources that hold data which cannot be made again. */
export const holdsData: readonly string[] = [
  "aws:cognito/userPool:UserPool",
  "aws:rds/cluster:Cluster",
  "aws:rds/instance:Instance",
  "aws:s3/bucket:Bucket",
  "aws:secretsmanager/secret:Secret",
  "mysql:index/database:Database",
];
